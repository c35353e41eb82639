/** What a worker keeps of large values, and how long it asks for one: with a leader of the test's own, on simulated time. */
import { decodeAsk, encodeReply, Namespace, NoLeaderError, Subjects, TaskId } from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { LargeValues } from "../src/large-values.ts";

const subjects = new Subjects(Namespace.parse("default"));
const task = TaskId.parse(`00aaaa${"x".repeat(16)}`);

let bus: FakeBus;
let stored: Map<string, Uint8Array>;
let asked: number;
let isLed: boolean;

beforeEach(() => {
  bus = new FakeBus();
  stored = new Map();
  asked = 0;
  isLed = true;
  const server = bus.connection("coordinator", bus.process("server"));
  server.nats.subscribe(subjects.blobAll(0), {
    callback: (_, message) => {
      stored.set(message.subject, Uint8Array.from(message.data));
      message.respond(new TextEncoder().encode(JSON.stringify({ stream: subjects.blobStream(0), seq: 1 })));
    },
  });
  server.nats.subscribe(subjects.askAll(0), {
    callback: (_, message) => {
      const read = decodeAsk(message.data);
      if (!read.ok || read.value.question.type !== "chunk" || !isLed) return;
      asked++;
      const { chunk } = read.value.question;
      const data = stored.get(subjects.blobChunk(0, read.value.question, chunk)) ?? null;
      const answer = { type: "chunk" as const, data, isExpired: false };
      message.respond(encodeReply({ epoch: 1, foldedSeq: 1, answer }));
    },
  });
});

const valuesOf = (name: string, chunkBytes = 1_000_000): LargeValues =>
  new LargeValues({
    connection: bus.connection("worker", bus.process(name)),
    subjects,
    sizes: { inlineBytesMax: 10, chunkBytes },
    onTrouble: () => undefined,
  });
const wanted = (): boolean => true;
const value = new Uint8Array(100).fill(7);

/** Time goes on until the work is done. */
async function played<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  const done = work.finally(() => {
    isOver = true;
  });
  done.catch(() => undefined);
  await bus.loop.play(bus.loop.nowMs + 300_000, () => isOver);
  return done;
}

test("a value that was made here is at hand, another worker asks for it once, and neither hands out the same bytes twice", async () => {
  const maker = valuesOf("w1");
  const other = valuesOf("w2");
  const reference = await played(maker.store(value, { id: task, attempt: 1 }));
  expect(await played(maker.read(reference, wanted))).toEqual(value);
  expect(asked).toBe(0);
  const first = await played(other.read(reference, wanted));
  expect(first).toEqual(value);
  first.fill(0);
  expect(await played(other.read(reference, wanted))).toEqual(value);
  expect(asked).toBe(1);
});

test("what is kept is bounded: the one that was used least lately goes first", async () => {
  const maker = valuesOf("w1", 64 * 1024 ** 2);
  const references: Uint8Array[] = [];
  for (let n = 0; n < 3; n++)
    references.push(
      await played(maker.store(new Uint8Array(25 * 1024 ** 2).fill(n), { id: task, attempt: n })),
    );
  const [first, second, third] = references as [Uint8Array, Uint8Array, Uint8Array];
  await played(maker.read(third, wanted));
  await played(maker.read(second, wanted));
  expect(asked).toBe(0);
  expect((await played(maker.read(first, wanted)))[0]).toBe(0);
  expect(asked).toBe(1);
  await played(maker.read(second, wanted));
  expect(asked).toBe(1);
});

test("a value is asked for as long as its attempt is wanted, however long nobody leads", async () => {
  const reference = await played(valuesOf("w1").store(value, { id: task, attempt: 1 }));
  isLed = false;
  bus.process("leader").clock.after(100_000, () => {
    isLed = true;
  });
  expect(await played(valuesOf("w2").read(reference, wanted))).toEqual(value);
  isLed = false;
  await expect(played(valuesOf("w3").read(reference, () => false))).rejects.toThrow(NoLeaderError);
});
