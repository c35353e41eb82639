/** What each process of a long run tells of itself. */
import { heldBytes } from "../held-bytes.ts";
import type { Held } from "./contract.ts";

export function held(): Held {
  return { heldBytes: heldBytes(), rssBytes: process.memoryUsage.rss() };
}
