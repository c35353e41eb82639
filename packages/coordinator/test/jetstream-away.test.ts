import { JetStreamApiError } from "@nats-io/jetstream";
import { NoRespondersError, RequestError, TimeoutError } from "@nats-io/transport-node";
import { UsageError } from "@weft/protocol";
import { expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { whenJetStreamIsBack } from "../src/shell/jetstream-away.ts";

const apiError = (code: number): Error =>
  new JetStreamApiError({ code: 503, err_code: code, description: "" });

/** How often it was tried until it ended, after how long, and how, where the first `failures` tries fail. */
async function tried(
  error: Error,
  failures: number,
): Promise<{ tries: number; afterMs: number; ended: unknown }> {
  const bus = new FakeBus();
  let tries = 0;
  let ended: unknown;
  const work = whenJetStreamIsBack(bus.process("coordinator").clock, async () => {
    if (++tries <= failures) throw error;
    return "back";
  });
  work.then(
    (value) => {
      ended = value;
    },
    (reason: unknown) => {
      ended = reason;
    },
  );
  await bus.loop.play(120_000, () => ended !== undefined);
  return { tries, afterMs: bus.loop.nowMs, ended };
}

test.each([
  new TimeoutError(),
  Object.assign(new Error("nobody"), { name: "JetStreamNotEnabled" }),
  new RequestError("nobody", { cause: new NoRespondersError("$JS.API.INFO") }),
  apiError(10008),
])("is asked again while it is away: %s", async (error) => {
  expect(await tried(error, 5)).toEqual({ tries: 6, afterMs: 1_000, ended: "back" });
});

test("is given up after half a minute, with its own error", async () => {
  const error = new TimeoutError();
  const { afterMs, ended } = await tried(error, 1_000_000);
  expect(ended).toBe(error);
  expect(afterMs).toBeGreaterThanOrEqual(30_000);
  expect(afterMs).toBeLessThan(31_000);
});

test.each([new UsageError("another name"), apiError(10005), new Error("closed")])(
  "an answer that stays the same is not asked for again: %s",
  async (error) => {
    expect(await tried(error, 1_000_000)).toEqual({ tries: 1, afterMs: 0, ended: error });
  },
);
