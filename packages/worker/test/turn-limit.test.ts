/** Attempts of one turn of the event loop. */
import { expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { TurnLimit } from "../src/turn-limit.ts";

test("after a millisecond of attempts the next waits for another turn, which begins anew", async () => {
  const bus = new FakeBus();
  const { clock } = bus.connection("worker", bus.process("w1"));
  let turns = 0;
  const limit = new TurnLimit(clock, () => void turns++);
  expect([limit.isOver(0), limit.isOver(1)]).toEqual([false, false]);
  expect([limit.isOver(2), turns]).toEqual([true, 0]);
  await bus.loop.play(bus.loop.nowMs);
  expect([turns, limit.isOver(2)]).toEqual([1, false]);
});
