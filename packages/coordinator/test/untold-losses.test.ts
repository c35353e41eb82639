/** Which losses of workers the next leader tells of. */
import type { Presence, Sender } from "@weft/protocol";
import { expect, test } from "vitest";
import { UntoldLosses } from "../src/shell/untold-losses.ts";

const loss = (name: string) => ({
  worker: `worker.${name}` as Sender,
  why: "gone" as const,
  last: { held: [] } as unknown as Presence,
});

function setUp() {
  const awake = { nowMs: 10_000 };
  const untold = new UntoldLosses(awake);
  const take = (): string[] => untold.take().map(({ worker }) => worker);
  return { awake, untold, take };
}

test("a worker that was lost while nobody led is told by the next leader, once", () => {
  const { awake, untold, take } = setUp();
  untold.add(loss("a"));
  awake.nowMs += 60_000;
  expect(take()).toEqual(["worker.a"]);
  expect(take()).toEqual([]);
});

test("one that a leader was there to find out about, for long enough after it, is not told again", () => {
  const { awake, untold, take } = setUp();
  untold.add(loss("a"));
  awake.nowMs += 2_000;
  untold.leaderActed();
  untold.add(loss("b"));
  awake.nowMs += 1_000;
  untold.leaderActed();
  expect(take()).toEqual(["worker.b"]);
});
