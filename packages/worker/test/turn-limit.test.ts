/** Attempts of one turn of the event loop. */
import { expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { TurnLimit } from "../src/turn-limit.ts";

test("after a millisecond of attempts the next waits for another turn, which begins anew", async () => {
  const bus = new FakeBus();
  const { clock } = bus.connection("worker", bus.process("w1"));
  let aheadMs = 0;
  let turns = 0;
  const limit = new TurnLimit({ ...clock, nowMs: () => clock.nowMs() + aheadMs }, () => void turns++);
  expect([limit.isOver(), limit.isOver()]).toEqual([false, false]);
  aheadMs = 2;
  expect([limit.isOver(), turns]).toEqual([true, 0]);
  await bus.loop.play(bus.loop.nowMs);
  expect([turns, limit.isOver()]).toEqual([1, false]);
});
