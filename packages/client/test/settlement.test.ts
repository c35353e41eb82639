/** Outcomes from the wire, told as values and errors. */
import {
  CycleError,
  DependencyFailedError,
  encodeFailure,
  encodeValue,
  failureOf,
  LogFullError,
  OUTCOMES,
  type Outcome,
  ParentGoneError,
  type Reason,
  ResultExpiredError,
  type Sender,
  type SettledTask,
  TaskCancelledError,
  TaskError,
  TaskFailedError,
  TaskId,
  TaskName,
  TaskRejectedError,
  TaskSkippedError,
  TaskTimedOutError,
  UnknownDependencyError,
  WeftError,
  WorkersLostError,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lastProgressOf, settlementOf } from "../src/settlement.ts";

const idOf = (number: number): TaskId => TaskId.parse(`000000${String(number).padStart(16, "A")}`);
const name = TaskName.parse("report");

function settled(outcome: Outcome, more: Partial<SettledTask> = {}): SettledTask {
  const none = { attempt: 2, tries: 2, seq: 1, reason: null, value: null, progress: null, fetch: false };
  return { id: idOf(1), name, outcome, ...none, ...more } as SettledTask;
}
const failureBytes = (thrown: unknown): Uint8Array => encodeFailure(failureOf(thrown));
const errorIn = (task: SettledTask): Error => settlementOf(task).error ?? new Error("there is no error");

describe("a success", () => {
  test.each([1, null, undefined, { rows: [1] }, ""])("has its value, %s, and no error", (value) => {
    const settlement = settlementOf(settled("succeeded", { value: encodeValue(value, "it") }));
    expect(settlement).toEqual({
      outcome: "succeeded",
      attempt: 2,
      tries: 2,
      stopped: null,
      also: { children: 0, dependents: 0 },
      value,
    });
    expect("error" in settlement).toBe(false);
  });

  test("whose value cannot be read says so instead of nothing", () => {
    const { outcome, error } = settlementOf(settled("succeeded", { value: Uint8Array.of(0xc1) }));
    expect(outcome).toBe("succeeded");
    expect(error?.message).toContain("a value cannot be decoded");
  });
});

describe("a failure", () => {
  class QuotaError extends RangeError {
    override readonly name = "QuotaError";
    readonly limit = 7;
  }

  test("has what was thrown as its cause: type name, message, stack, properties, and the chain below", () => {
    const root = new SyntaxError("root");
    const thrown = new QuotaError("over", { cause: new TypeError("middle", { cause: root }) });
    const error = errorIn(settled("failed", { value: failureBytes(thrown) }));
    expect(error).toBeInstanceOf(TaskFailedError);
    expect(error).toMatchObject({ code: "weft_task_failed", attempt: 2, taskId: idOf(1) });
    expect(error.message).toBe(`task report ${idOf(1)} failed after 2 attempts: QuotaError: over`);
    const cause = error.cause as QuotaError;
    expect(cause).toBeInstanceOf(Error);
    expect(cause).toMatchObject({ name: "QuotaError", message: "over", limit: 7, stack: thrown.stack });
    expect(cause.cause).toBeInstanceOf(TypeError);
    expect((cause.cause as Error).cause).toBeInstanceOf(SyntaxError);
    expect(((cause.cause as Error).cause as Error).stack).toBe(root.stack);
  });

  test("of a class that is not known here is an Error with that name, and one of Weft keeps its code", () => {
    const cause = errorIn(
      settled("failed", { value: failureBytes(Object.assign(new Error("x"), { name: "PrismaError" })) }),
    ).cause as Error;
    expect(cause.constructor).toBe(Error);
    expect(cause.name).toBe("PrismaError");
    expect(String(cause)).toBe("PrismaError: x");
    const own = errorIn(settled("failed", { value: failureBytes(new WeftError("weft_new_one", "y")) })).cause;
    expect(WeftError.is(own, "weft_new_one")).toBe(true);
  });

  test("cannot change what an Error is, whatever it calls itself", () => {
    for (const odd of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const failure = { name: odd, message: odd, stack: null, properties: { [odd]: "x" }, cause: null };
      const cause = errorIn(settled("failed", { value: encodeFailure(failure) })).cause as Error;
      expect(cause).toBeInstanceOf(Error);
      expect(cause.name).toBe(odd);
    }
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test("that recorded nothing, or what cannot be read, is still a failure", () => {
    expect((errorIn(settled("failed")).cause as Error).message).toContain("recorded no reason");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (value) => {
        const error = errorIn(settled("failed", { value }));
        expect(error).toBeInstanceOf(TaskFailedError);
        expect(error.cause).toBeInstanceOf(Error);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("a chain of failures whose beginning is not kept any more", () => {
  const root: Reason = { type: "result_expired", task: idOf(9) };
  test.each([
    [[], ["TaskFailedError", "ResultExpiredError"]],
    [[2], ["TaskFailedError", "DependencyFailedError", "ResultExpiredError"]],
  ])("is told as far as it is known: %o", (ids, names) => {
    const chain = ids.map((id) => ({
      id: idOf(id),
      name: "t" as TaskName,
      outcome: "failed" as const,
      attempt: 1,
      tries: 1,
    }));
    const reason: Reason = { type: "dependency_failed", chain, omitted: 0, root };
    const told: string[] = [];
    for (
      let error: unknown = errorIn(settled("failed", { reason }));
      error instanceof Error;
      error = error.cause
    )
      told.push(error.name);
    expect(told).toEqual(names);
  });
});

describe("every outcome", () => {
  const byReason: readonly (readonly [Reason, new (...args: never[]) => Error])[] = [
    [{ type: "unknown_dependency", dependency: idOf(9) }, UnknownDependencyError],
    [{ type: "result_expired", task: idOf(9) }, ResultExpiredError],
    [{ type: "log_full" }, LogFullError],
    [{ type: "cycle", path: [idOf(1), idOf(2), idOf(1)] }, CycleError],
    [{ type: "parent_gone", parent: idOf(3), attempt: 1 }, ParentGoneError],
    [{ type: "workers_lost", losses: [{ worker: "worker.w1" as Sender, atMs: 0 }] }, WorkersLostError],
  ];
  test.each(byReason)("that the cluster decided on has its reason as the cause: %o", (reason, type) => {
    const rejected = errorIn(settled("rejected", { reason }));
    expect(rejected).toBeInstanceOf(TaskRejectedError);
    expect(rejected.cause).toBeInstanceOf(type);
    expect(errorIn(settled("failed", { reason })).cause).toBeInstanceOf(type);
  });

  test("but a success is told as its own error, which is a TaskError with the task's id", () => {
    const types = {
      failed: TaskFailedError,
      cancelled: TaskCancelledError,
      timed_out: TaskTimedOutError,
      skipped: TaskSkippedError,
      rejected: TaskRejectedError,
    };
    for (const outcome of OUTCOMES.filter((each) => each !== "succeeded")) {
      const error = errorIn(settled(outcome));
      expect(error).toBeInstanceOf(types[outcome]);
      expect(error).toBeInstanceOf(TaskError);
      expect((error as TaskError).taskId).toBe(idOf(1));
      expect(error.name).toBe(types[outcome].name);
    }
  });

  test("of a cancel says why and where it caught the task", () => {
    const reason: Reason = {
      type: "cancelled",
      reason: "enough",
      stopped: "before_release",
      children: 2,
      dependents: 3,
    };
    const { error, stopped, also } = settlementOf(settled("cancelled", { reason }));
    expect(also).toEqual({ children: 2, dependents: 3 });
    expect(stopped).toBe("before_release");
    expect(error).toMatchObject({
      reason: "enough",
      message: `task report ${idOf(1)} was cancelled: enough`,
    });
  });
});

describe("a failed dependency", () => {
  const link = (number: number, outcome: Outcome) =>
    ({ id: idOf(number), name: TaskName.parse(`t${number}`), outcome, attempt: 4, tries: 3 }) as const;
  const chainOf = (error: Error): Error[] =>
    error.cause instanceof Error ? [error, ...chainOf(error.cause)] : [error];

  test("is told link by link, from the nearest to the root's own error", () => {
    const reason: Reason = {
      type: "dependency_failed",
      chain: [link(2, "failed"), link(3, "failed"), link(4, "failed")],
      omitted: 0,
      root: null,
    };
    const value = failureBytes(new RangeError("root"));
    const chain = chainOf(errorIn(settled("failed", { reason, value })));
    expect(chain.map((error) => error.name)).toEqual([
      "TaskFailedError",
      "DependencyFailedError",
      "DependencyFailedError",
      "DependencyFailedError",
      "TaskFailedError",
      "RangeError",
    ]);
    expect(chain.slice(1, 4).map((error) => (error as DependencyFailedError).taskId)).toEqual(
      [2, 3, 4].map(idOf),
    );
    expect(chain[4]).toMatchObject({ taskId: idOf(4), attempt: 4 });
  });

  test("that was cancelled, or rejected, or timed out, is told as that", () => {
    const cancelled: Reason = {
      type: "cancelled",
      reason: "enough",
      stopped: "while_running",
      children: 0,
      dependents: 0,
    };
    const cases: readonly (readonly [Outcome, Reason | null, string])[] = [
      ["cancelled", cancelled, "TaskCancelledError"],
      ["rejected", { type: "cycle", path: [idOf(2), idOf(2)] }, "TaskRejectedError"],
      ["timed_out", null, "TaskTimedOutError"],
      ["failed", { type: "workers_lost", losses: [] }, "TaskFailedError"],
    ];
    for (const [outcome, root, type] of cases) {
      const reason: Reason = { type: "dependency_failed", chain: [link(2, outcome)], omitted: 0, root };
      const [, dependency, own] = chainOf(errorIn(settled("failed", { reason })));
      expect(dependency).toBeInstanceOf(DependencyFailedError);
      expect(own?.name).toBe(type);
    }
  });

  test("that is far away says how many links were left out, and an empty chain is a defect and no crash", () => {
    const reason = {
      type: "dependency_failed",
      chain: [2, 3].map((n) => link(n, "failed")),
      omitted: 40,
      root: null,
    } as const;
    const messages = chainOf(errorIn(settled("failed", { reason }))).map((error) => error.message);
    expect(messages.filter((message) => message.includes("40 dependencies further on"))).toHaveLength(1);
    const empty = errorIn(settled("failed", { reason: { ...reason, chain: [] } }));
    expect((empty.cause as Error).name).toBe("DefectError");
  });
});

test("the last progress is read where there is some, and junk is none", () => {
  expect(lastProgressOf(settled("succeeded"))).toBeNull();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (progress) => {
      expect(lastProgressOf(settled("succeeded", { progress }))).toBeNull();
    }),
  );
});
