/** What each process of a long run tells of itself. */
import { heldBytes } from "@weft/testing";
import type { Held } from "./contract.ts";

export function held(): Held {
  return { heldBytes: heldBytes().all, rssBytes: process.memoryUsage.rss() };
}
