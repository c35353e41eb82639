/** Typed calls while they run: a name becomes a call, and nothing else does. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { typedTasks } from "../src/typed-tasks.ts";
import { handleOf } from "./handle-host.ts";

type Loose = Readonly<Record<string, (input?: unknown, options?: unknown) => unknown>>;

function recorded(): { readonly run: Loose; readonly calls: unknown[][] } {
  const calls: unknown[][] = [];
  const run = typedTasks((...call) => {
    calls.push(call);
    return handleOf().handle;
  }) as unknown as Loose;
  return { run, calls };
}

describe("a typed call", () => {
  test.each([
    ["add", "add"],
    ["countPrimes", "count-primes"],
    ["parseHTML", "parse-h-t-m-l"],
    ["step2Of3", "step2-of3"],
    ["count-primes", "count-primes"],
    ["snake_case", "snake_case"],
    ["__proto__", "__proto__"],
    ["Upper", "-upper"],
  ])("of %s submits the task %s with what it was given", (key, name) => {
    const { run, calls } = recorded();
    run[key]?.({ a: 1 }, { priority: 1 });
    run[key]?.();
    expect(calls).toEqual([
      [name, { a: 1 }, { priority: 1 }],
      [name, undefined, undefined],
    ]);
  });

  test("can be taken out and called later", () => {
    const { run, calls } = recorded();
    const { add } = run;
    [1, 2].map((each) => add?.(each));
    expect(calls.map(([, input]) => input)).toEqual([1, 2]);
  });
});

describe("looking at the calls submits nothing", () => {
  const looks: readonly (readonly [string, (run: Loose) => unknown])[] = [
    ["awaiting them", async (run) => await (run as unknown)],
    ["returning them from an async function", (run) => (async () => run)()],
    ["printing them", (run) => inspect(run, { showProxy: false })],
    ["making JSON of them", (run) => JSON.stringify({ run })],
    ["putting them into a text", (run) => `${String(Object.prototype.toString.call(run))}`],
    ["adding them to a text", (run) => attempt(() => `${run as unknown as string}`)],
    ["comparing them", (run) => attempt(() => (run as unknown as number) > 1)],
    ["asking for their names", (run) => [Object.keys(run), "add" in run, { ...run }]],
    ["cloning them", (run) => attempt(() => structuredClone(run))],
    ["testing their class", (run) => (run as unknown) instanceof Error],
  ];
  test.each(looks)("%s", async (_what, look) => {
    const { run, calls } = recorded();
    await look(run);
    expect(calls).toEqual([]);
  });
});

/** What is asked may be refused. */
function attempt(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
