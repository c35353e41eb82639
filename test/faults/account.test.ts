/** Each check of a fault run can fail: an account that is fed the fault finds it, and one that is not does not. */
import { expect, test } from "vitest";
import { Account, type Balance } from "./account.ts";
import type { Fact } from "./facts.ts";
import { failingsOf } from "./verdict.ts";

function balanceOf(
  facts: readonly (Fact | readonly [source: string, fact: Fact])[],
  states: Readonly<Record<string, string>> = {},
): { balance: Balance; failings: readonly string[]; lines: readonly string[] } {
  const lines: string[] = [];
  const account = new Account((line) => lines.push(line));
  for (const fact of facts) {
    if (Array.isArray(fact[1])) account.note(fact[0], fact[1] as unknown as Fact);
    else account.note("client 0", fact as Fact);
  }
  const balance = account.balance(new Map(Object.entries(states)));
  return { balance, failings: failingsOf(balance), lines };
}

const accepted: Fact = ["accepted", "a", { value: 7 }];
const right: Fact = ["told", "a", { value: 7 }, 1];
const cancelled: Fact = ["told", "a", { error: "TaskCancelledError", message: "" }, 1];

test("an account of tasks that ended as they should is in balance", () => {
  const { balance, failings, lines } = balanceOf([
    accepted,
    right,
    ["accepted", "b", { error: "TaskFailedError" }],
    ["told", "b", { error: "TaskFailedError", message: "on purpose" }, 1],
    ["refused", "c", "ClosedError"],
  ]);
  expect(balance).toMatchObject({ acknowledged: 2, settled: 2, refused: 1 });
  expect(failings).toEqual([]);
  expect(lines).toEqual([]);
});

test("a run in which nothing settled for longer than anything may take has failed", () => {
  const { balance } = balanceOf([accepted, right]);
  expect(failingsOf(balance, 45_001)).toContain("longest_standstill_ms");
  expect(failingsOf(balance, 45_000)).not.toContain("longest_standstill_ms");
});

test("a run in which nothing was acknowledged proves nothing", () => {
  expect(balanceOf([]).failings).toEqual(["acknowledged"]);
});

test("a task that the cluster does not know is lost, whether it is asked or says so itself", () => {
  const asked = balanceOf([accepted], { a: "unknown" });
  expect(asked.balance).toMatchObject({ lost: 1, hung_handles: 0 });
  expect(asked.failings).toEqual(["lost"]);
  expect(asked.lines).toEqual(["task a of client 0 has not settled: unknown"]);
  const said = balanceOf([accepted, ["told", "a", { error: "UnknownTaskError", message: "nobody" }, 1]]);
  expect(said.failings).toEqual(["lost"]);
});

test("a task that the cluster knows, or says nothing of, and whose handle was told nothing is hung", () => {
  expect(balanceOf([accepted], { a: "running" }).failings).toEqual(["hung_handles"]);
  expect(balanceOf([accepted], { a: "succeeded" }).failings).toEqual(["hung_handles"]);
  expect(balanceOf([accepted]).balance).toMatchObject({ lost: 0, hung_handles: 1 });
});

test("a second outcome of one handle is a double, even if it is the same", () => {
  const again: Fact = ["told", "a", { value: 7 }, 2];
  expect(balanceOf([accepted, right, again]).failings).toEqual(["double_outcomes"]);
  expect(balanceOf([accepted, right, right]).failings).toEqual(["double_outcomes"]);
});

test("two clients may be told the same outcome, and not two different ones", () => {
  const same = balanceOf([accepted, right, ["client 1", right]]);
  expect(same.balance).toMatchObject({ settled: 1, told_again: 1 });
  expect(same.failings).toEqual([]);
  expect(balanceOf([accepted, right, ["client 1", cancelled]]).failings).toEqual(["double_outcomes"]);
});

test("another value, an error, and a success where an error is due are wrong", () => {
  expect(balanceOf([accepted, ["told", "a", { value: 8 }, 1]]).failings).toEqual(["wrong_results"]);
  expect(balanceOf([accepted, cancelled]).failings).toEqual(["wrong_results"]);
  const failing: Fact = ["accepted", "a", { error: "TaskFailedError" }];
  expect(balanceOf([failing, right]).failings).toEqual(["wrong_results"]);
});

test("a task that was cancelled must end as the cancel answered, whichever is heard first", () => {
  const may: Fact = ["accepted", "a", { value: 7, mayBeCancelled: true }];
  const yes: Fact = ["answered", "a", "cancelled"];
  const no: Fact = ["answered", "a", "succeeded"];
  for (const facts of [
    [may, cancelled, yes],
    [may, yes, cancelled],
    [may, right, no],
    [may, no, right],
  ])
    expect(balanceOf(facts).failings).toEqual([]);
  for (const facts of [
    [may, cancelled, no],
    [may, no, cancelled],
    [may, right, yes],
    [may, yes, right],
  ])
    expect(balanceOf(facts).failings).toEqual(["wrong_results"]);
});

test("a task that was refused as the log was full is told so, and nothing is wrong with that", () => {
  const rejected: Fact = ["told", "a", { error: "TaskRejectedError", cause: "LogFullError", message: "" }, 1];
  const { balance, failings } = balanceOf([accepted, rejected]);
  expect(balance).toMatchObject({ settled: 1, rejected: 1 });
  expect(failings).toEqual([]);
});

test("nor with what depends on such a task, though it got there when the log had room again", () => {
  const chained = (root: string): Fact => [
    "told",
    "a",
    { error: "TaskFailedError", cause: "DependencyFailedError", root, message: "" },
    1,
  ];
  expect(balanceOf([accepted, chained("LogFullError")])).toMatchObject({
    balance: { rejected: 1 },
    failings: [],
  });
  expect(balanceOf([accepted, chained("RangeError")]).failings).toEqual(["wrong_results"]);
});

test("tasks of a client that is gone are told by the one that follows them", () => {
  const account = new Account(() => undefined);
  account.note("client 0", accepted);
  expect(account.handOver("client 0", "client 2")).toEqual(["a"]);
  expect(account.openTasks()).toEqual([{ id: "a", source: "client 2" }]);
  account.note("client 2", right);
  expect(account.balance(new Map())).toMatchObject({ acknowledged: 1, settled: 1, hung_handles: 0 });
});
