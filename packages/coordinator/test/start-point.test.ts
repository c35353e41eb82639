/** Where a fold begins while its log is away, or cannot be had at all. */
import { TimeoutError } from "@nats-io/transport-node";
import { ControlSecret, Namespace, Subjects } from "@weft/protocol";
import type { Connection } from "@weft/transport";
import { expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { findStart, type StartPoint } from "../src/shell/start-point.ts";

const subjects = new Subjects(Namespace.parse("default"));
const MINUTES_MS = 60_000;

/** The log fails in the same way for so long. */
async function start(
  error: Error,
  forMs: number,
): Promise<{ atMs: number; ended: unknown; lines: string[] }> {
  const bus = new FakeBus();
  const lines: string[] = [];
  const info = async (): Promise<unknown> => {
    if (bus.loop.nowMs < forMs) throw error;
    return { metadata: {}, bytesMax: -1, bytes: 0, firstSeq: 1, lastSeq: 0 };
  };
  const stream = { info, message: async () => null, lastMessage: async () => null };
  const connection = {
    ...bus.connection("coordinator", bus.process("c1")),
    stream: () => stream,
  } as unknown as Connection;
  const config = {
    namespace: subjects.namespace,
    stream: subjects.stream(0),
    partitions: 1,
    secret: ControlSecret.parse("secret"),
    durability: "standard",
    purgeAgeMs: 0,
    logBytesMax: 0,
  } as const;
  let ended: StartPoint | Error | null = null;
  findStart({ connection, config, subjects, log: (line) => lines.push(line) }).then(
    (found) => {
      ended = found;
    },
    (reason: Error) => {
      ended = reason;
    },
  );
  await bus.loop.play(30 * MINUTES_MS, () => ended !== null);
  return { atMs: bus.loop.nowMs, ended, lines };
}

test("a log that is away is waited for, however long, and that is told once", async () => {
  const { atMs, ended, lines } = await start(new TimeoutError(), 10 * MINUTES_MS);
  expect(ended).toMatchObject({ point: { seq: 0 }, checkpoint: null });
  expect(atMs).toBeLessThan(10 * MINUTES_MS + 1_000);
  expect(lines).toEqual([expect.stringContaining("the log does not answer, and is waited for")]);
});

test("any other failure that does not pass is given up after half a minute, with its own error", async () => {
  const error = new Error("permissions violation");
  const { atMs, ended } = await start(error, 10 * MINUTES_MS);
  expect(ended).toBe(error);
  expect(atMs).toBeGreaterThanOrEqual(30_000);
  expect(atMs).toBeLessThan(31_000);
});
