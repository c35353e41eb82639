/** Callbacks one after another, whatever they do. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { waitUntil } from "../../testing/src/index.ts";
import { CallbackQueue } from "../src/callback-queue.ts";

const queueOf = (): { readonly queue: CallbackQueue; readonly errors: string[] } => {
  const errors: string[] = [];
  return { queue: new CallbackQueue({ reportError: (error) => void errors.push(error.message) }), errors };
};

/** As code without types may. */
const rejectWith = (reason: unknown): Promise<never> => new Promise((_resolve, reject) => reject(reason));

describe("callbacks", () => {
  test("run at once where nothing waits, in order, each awaited before the next", async () => {
    const { queue } = queueOf();
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    queue.add(() => seen.push("first"));
    expect(seen).toEqual(["first"]);
    queue.add(async () => {
      await gate.promise;
      seen.push("second");
    });
    queue.add(() => seen.push("third"));
    await new Promise((turn) => setImmediate(turn));
    expect(seen).toEqual(["first"]);
    gate.resolve();
    await waitUntil(() => seen.length === 3);
    expect(seen).toEqual(["first", "second", "third"]);
  });

  test("may return what is only like a promise: it is awaited too", async () => {
    const { queue, errors } = queueOf();
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    // biome-ignore lint/suspicious/noThenProperty: it is what this test is about.
    queue.add(() => ({ then: (resolve: () => void) => gate.promise.then(resolve) }));
    queue.add(() => seen.push("after"));
    const rejected = Promise.reject(new Error("like one"));
    // Heard of by the queue only once its turn comes.
    rejected.catch(() => undefined);
    // biome-ignore lint/suspicious/noThenProperty: it is what this test is about.
    queue.add(() => ({ then: rejected.then.bind(rejected) }));
    await new Promise((turn) => setImmediate(turn));
    expect(seen).toEqual([]);
    gate.resolve();
    await waitUntil(() => errors.length === 1);
    expect(seen).toEqual(["after"]);
    expect(errors).toEqual(["like one"]);
  });

  test("that add callbacks are done before those", async () => {
    const { queue } = queueOf();
    const seen: string[] = [];
    queue.add(() => {
      queue.add(() => seen.push("inner"));
      seen.push("outer");
    });
    expect(seen).toEqual(["outer", "inner"]);
  });

  test("that throw, or reject, or throw no Error, are each reported, and the rest run", async () => {
    const { queue, errors } = queueOf();
    const seen: string[] = [];
    queue.add(() => {
      throw new Error("thrown");
    });
    queue.add(() => Promise.reject(new Error("rejected")));
    queue.add(() => rejectWith("a text"));
    queue.add(() => seen.push("last"));
    await waitUntil(() => seen.length === 1);
    expect(errors).toEqual(["thrown", "rejected", "a text"]);
  });

  test("whose error's listener throws too cost a process warning, and nothing else", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const queue = new CallbackQueue({
      reportError: () => {
        throw new Error("the listener's");
      },
    });
    const seen: string[] = [];
    queue.add(() => {
      throw new Error("mine");
    });
    queue.add(() => seen.push("last"));
    await waitUntil(() => seen.length === 1);
    expect(warned).toHaveBeenCalledOnce();
    expect((warned.mock.calls[0]?.[0] as unknown as Error).message).toBe("the listener's");
    warned.mockRestore();
  });

  test("ten thousand that are added while one runs neither nest nor get lost", async () => {
    const { queue } = queueOf();
    let count = 0;
    queue.add(() => Promise.resolve());
    for (let i = 0; i < 10_000; i++) queue.add(() => count++);
    await waitUntil(() => count === 10_000);
  });
});

test("whatever mix is added, it runs in order, one at a time, and every error is reported once", async () => {
  const kind = fc.constantFrom("sync", "async", "throws", "rejects", "slow");
  await fc.assert(
    fc.asyncProperty(fc.array(kind, { maxLength: 30 }), async (kinds) => {
      const { queue, errors } = queueOf();
      const began: number[] = [];
      let running = 0;
      let ended = 0;
      for (const [i, each] of kinds.entries()) {
        queue.add(() => {
          began.push(i);
          expect(running).toBe(0);
          if (each === "throws") throw new Error(String(i));
          if (each === "rejects") return Promise.reject(new Error(String(i)));
          if (each === "sync") return undefined;
          running++;
          const turns = each === "slow" ? 3 : 1;
          return (async () => {
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            running--;
          })();
        });
      }
      queue.add(() => ended++);
      await waitUntil(() => ended === 1);
      expect(began).toEqual(kinds.map((_, i) => i));
      const wrong = kinds.flatMap((each, i) => (each === "throws" || each === "rejects" ? [String(i)] : []));
      expect(errors).toEqual(wrong);
    }),
    { numRuns: 60 },
  );
});
