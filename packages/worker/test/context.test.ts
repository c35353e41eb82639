/** What code sees of the task that it runs in, however deep below it. */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as later } from "node:timers/promises";
import { InvalidProgressError, TaskName, UsageError } from "@weft/protocol";
import { describe, expect, test } from "vitest";
import {
  ContextScope,
  contextOf,
  currentTask,
  reportProgress,
  type TaskContext,
  type TaskOutlet,
} from "../src/context.ts";
import { taskId } from "./assignment.ts";

type Report = readonly [number, string | undefined, unknown];

class RecordedOutlet implements TaskOutlet {
  readonly reports: Report[] = [];
  readonly logs: unknown[] = [];
  readonly progress = (...report: Report): void => void this.reports.push(report);
  readonly log = (...line: unknown[]): void => void this.logs.push(line);
}

function contextFor(number: number, outlet: TaskOutlet, controller = new AbortController()): TaskContext {
  const facts = { id: taskId(number), name: TaskName.parse("steps"), attempt: 1 };
  return contextOf(facts, [], outlet, { use: () => controller });
}

function inScope<T>(context: TaskContext, code: () => T): T {
  return new ContextScope().run(context, code);
}

describe("outside a task", () => {
  test("there is none, and progress cannot be reported, which is said in so many words", () => {
    expect(currentTask()).toBeNull();
    expect(() => reportProgress(0.5)).toThrow(UsageError);
    expect(() => reportProgress(0.5)).toThrow("reportProgress was called outside a task");
  });

  test("means after it, too, unless the code began inside", async () => {
    const outlet = new RecordedOutlet();
    const { promise, resolve } = Promise.withResolvers<void>();
    const inside = inScope(contextFor(1, outlet), async () => {
      await promise;
      reportProgress(1);
    });
    expect(currentTask()).toBeNull();
    resolve();
    await inside;
    expect(outlet.reports).toHaveLength(1);
    expect(() => reportProgress(1)).toThrow(UsageError);
  });
});

describe("inside a task", () => {
  const ways: readonly (readonly [string, (report: () => void) => Promise<unknown>])[] = [
    ["a promise", (report) => Promise.resolve().then(report)],
    ["a timer", (report) => later(1).then(report)],
    ["an immediate", (report) => new Promise<void>((done) => setImmediate(() => done(report())))],
    ["a microtask", (report) => new Promise<void>((done) => queueMicrotask(() => done(report())))],
    ["the next tick", (report) => new Promise<void>((done) => process.nextTick(() => done(report())))],
    ["many at once", (report) => Promise.all([1, 2, 3].map(() => later(1).then(report)))],
  ];
  test.each(ways)("progress is reported without an id from below %s", async (_name, below) => {
    const outlet = new RecordedOutlet();
    await inScope(contextFor(1, outlet), async () => {
      await below(() => reportProgress(0.5, "half", { at: 1 }));
    });
    expect(outlet.reports.length).toBeGreaterThan(0);
    for (const report of outlet.reports) expect(report).toEqual([0.5, "half", { at: 1 }]);
  });

  test("a hundred at once do not mix", async () => {
    const outlets = Array.from({ length: 100 }, () => new RecordedOutlet());
    const steps = async (number: number): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        await (i % 2 === 0 ? Promise.resolve() : new Promise((done) => setImmediate(done)));
        expect(currentTask()?.id).toBe(taskId(number));
        reportProgress(i / 10, String(number));
      }
    };
    await Promise.all(
      outlets.map((outlet, number) => inScope(contextFor(number, outlet), () => steps(number))),
    );
    for (const [number, { reports }] of outlets.entries()) {
      expect(reports).toEqual(Array.from({ length: 10 }, (_, i) => [i / 10, String(number), undefined]));
    }
  });

  test("a context that the service has entered around the worker is there as well, wherever the task begins", () => {
    const tracing = new AsyncLocalStorage<string>();
    const scope = tracing.run("the service's", () => new ContextScope());
    tracing.run("somebody else's", () => {
      scope.run(contextFor(1, new RecordedOutlet()), () => {
        expect(tracing.getStore()).toBe("the service's");
        expect(currentTask()).not.toBeNull();
      });
      expect([tracing.getStore(), currentTask()]).toEqual(["somebody else's", null]);
    });
  });

  test("what its code enters itself ends with it, also where it throws", () => {
    const tracing = new AsyncLocalStorage<string>();
    const scope = new ContextScope();
    const code = (): never => {
      tracing.enterWith("the task's");
      throw new Error("thrown");
    };
    expect(() => scope.run(contextFor(1, new RecordedOutlet()), code)).toThrow("thrown");
    expect([tracing.getStore(), currentTask()]).toEqual([undefined, null]);
  });

  test("another one inside it hides it, and no longer", () => {
    const outer = contextFor(1, new RecordedOutlet());
    const inner = contextFor(2, new RecordedOutlet());
    inScope(outer, () => {
      inScope(inner, () => expect(currentTask()).toBe(inner));
      expect(currentTask()).toBe(outer);
    });
  });
});

describe("progress", () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, -Number.MIN_VALUE, 1.0000001, "0.5", undefined, null, 1n])(
    "of %s is refused where it is reported",
    (fraction) => {
      const outlet = new RecordedOutlet();
      const context = contextFor(1, outlet);
      expect(() => context.progress(fraction as number)).toThrow(InvalidProgressError);
      expect(() => inScope(context, () => reportProgress(fraction as number))).toThrow(InvalidProgressError);
      expect(outlet.reports).toEqual([]);
    },
  );

  test.each([0, -0, 1, Number.MIN_VALUE])("of %s is taken", (fraction) => {
    const outlet = new RecordedOutlet();
    contextFor(1, outlet).progress(fraction);
    expect(outlet.reports).toEqual([[fraction, undefined, undefined]]);
  });

  test("with a message that is no text or too long, or data that is no JSON or too much, is refused", () => {
    const context = contextFor(1, new RecordedOutlet());
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => context.progress(0, 5 as never)).toThrow(UsageError);
    expect(() => context.progress(0, "x".repeat(1_001))).toThrow("at most 1000 characters");
    for (const data of [cycle, 1n, { n: 1n }, () => 1, Symbol("s"), "x".repeat(20_000)]) {
      expect(() => context.progress(0, "", data)).toThrow("the data of a progress report must be JSON");
    }
  });

  test("takes its data as it is now: what the code does to it later changes no report", () => {
    const outlet = new RecordedOutlet();
    const data: { rows: number[]; big?: bigint } = { rows: [1] };
    contextFor(1, outlet).progress(0.5, "", data);
    data.rows.push(2);
    data.big = 1n;
    expect(outlet.reports).toEqual([[0.5, "", { rows: [1] }]]);
  });

  test("and the log can be taken out of the context", () => {
    const outlet = new RecordedOutlet();
    const { progress, log } = contextFor(1, outlet);
    const { info } = log;
    progress(0.5);
    info("told", 1);
    expect(outlet.reports).toHaveLength(1);
    expect(outlet.logs).toEqual([["info", "told", 1]]);
  });
});

describe("a context", () => {
  test("logs at four levels", () => {
    const outlet = new RecordedOutlet();
    const { log } = contextFor(1, outlet);
    for (const level of ["debug", "info", "warn", "error"] as const) log[level](`at ${level}`, { level });
    expect(outlet.logs).toEqual(
      ["debug", "info", "warn", "error"].map((level) => [level, `at ${level}`, { level }]),
    );
  });

  test("makes its signal once, when somebody looks", () => {
    let made = 0;
    const controller = new AbortController();
    const facts = { id: taskId(1), name: TaskName.parse("steps"), attempt: 1 };
    const use = (): AbortController => {
      made++;
      return controller;
    };
    const context = contextOf(facts, [], new RecordedOutlet(), { use });
    expect(made).toBe(0);
    expect(context.signal).toBe(context.signal);
    expect(context.signal).toBe(controller.signal);
  });
});
