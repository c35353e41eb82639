/** A stream near its limit refuses a large record and takes a smaller one behind it: what the sender does about that. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Appender } from "../src/index.ts";
import { encode, FakeNats, itemsOf, NotedItem } from "./appender-support.ts";

const FULL = { error: { err_code: 10077, description: "maximum bytes exceeded" } };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function appenderOver(nats: FakeNats): Appender<string, NotedItem> {
  return new Appender<string, NotedItem>({
    connection: nats.connection,
    stream: "LOG",
    noun: "tasks",
    subject: (kind) => kind,
    encode,
  });
}

const numberOf = (text: string): number => Number(text.split(" ")[0]);

test("behind a record that was refused nothing new leaves until the log has it", async () => {
  const nats = new FakeNats();
  const appender = appenderOver(nats);
  const [large, small] = [new NotedItem("large"), new NotedItem("small")];
  appender.add("submit", large);
  await vi.advanceTimersByTimeAsync(1);
  nats.answer(0, FULL);
  appender.add("cancel", small);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(new Set(nats.published.map(({ text }) => text))).toEqual(new Set(["1 submit: large"]));
  // Each second at the latest, for as long as it takes.
  for (let at = 1; at < 10; at++) nats.answer(nats.published.length - 1, FULL);
  const before = nats.published.length;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(nats.published.length).toBeGreaterThan(before);
  nats.acknowledge(nats.published.length - 1, 7);
  expect(large.seqs).toEqual([7]);
  await vi.advanceTimersByTimeAsync(1);
  expect(nats.published.at(-1)?.text).toBe("2 cancel: small");
  nats.acknowledge(nats.published.length - 1, 8);
  expect(small.seqs).toEqual([8]);
  appender.close();
});

test("only what was on its way can overtake what is refused, whatever is refused and for how long", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), async (refusals) => {
      const nats = new FakeNats();
      const appender = appenderOver(nats);
      const items = itemsOf(8);
      const stored: number[] = [];
      let answered = 0;
      let drawn = 0;
      for (const [i, item] of items.entries()) {
        appender.add(`kind${i}`, item);
        await vi.advanceTimersByTimeAsync(1);
      }
      for (let turn = 0; turn < 400 && stored.length < items.length; turn++) {
        const until = nats.published.length;
        for (; answered < until; answered++) {
          const number = numberOf(nats.published[answered]?.text ?? "");
          if (refusals[drawn++] === true) nats.answer(answered, FULL);
          else {
            if (!stored.includes(number)) stored.push(number);
            nats.acknowledge(answered, 100 + answered);
          }
        }
        await vi.advanceTimersByTimeAsync(100);
      }
      expect(stored.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      // Four are on their way at most.
      for (const [at, number] of stored.entries()) {
        for (const later of stored.slice(at + 1)) expect(number - later).toBeLessThan(4);
      }
      appender.close();
    }),
    { numRuns: 30 },
  );
});
