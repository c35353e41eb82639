/** Which results a client says that it has, and when. */
import { TaskId } from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { Receipts } from "../src/receipts.ts";

const [A, B, C] = ["a", "b", "c"].map((each) => TaskId.parse(`00zzzz${each.repeat(16)}`)) as [
  TaskId,
  TaskId,
  TaskId,
];
let sent: TaskId[];
let receipts: Receipts;
beforeEach(() => {
  sent = [];
  receipts = new Receipts((id) => void sent.push(id));
});

test("a result is told to be there once, and only of tasks whose result is not to be kept", () => {
  receipts.expect(A);
  receipts.received(B);
  receipts.received(A);
  receipts.received(A);
  expect(sent).toEqual([A]);
  expect(receipts.isIdle).toBe(true);
});

test("that waits until the log has every task of this client that depends on it", () => {
  receipts.expect(A);
  receipts.submitted(B, [A]);
  receipts.submitted(C, [A, A]);
  receipts.received(A);
  receipts.accepted(B);
  expect(sent).toEqual([]);
  receipts.accepted(C);
  expect(sent).toEqual([A]);
});

test("or until it is given up", () => {
  receipts.expect(A);
  receipts.submitted(B, [A]);
  receipts.received(A);
  receipts.abandoned(B);
  expect(sent).toEqual([A]);
});

test("what depends on a result that has gone is not waited for, and nothing is kept of it", () => {
  receipts.expect(A);
  receipts.submitted(B, [A, C]);
  receipts.forget(A);
  expect(receipts.isIdle).toBe(false);
  receipts.accepted(B);
  expect(receipts.isIdle).toBe(true);
  expect(sent).toEqual([]);
});

test("a task that ended without a result is not waited for", () => {
  receipts.expect(A);
  receipts.forget(A);
  expect(receipts.isIdle).toBe(true);
  receipts.accepted(A);
  receipts.received(A);
  expect(sent).toEqual([]);
});
