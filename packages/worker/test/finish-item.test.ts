/** A finish on its way into the log. */
import { decodeRecord, encodeProgress, encodeValue, type Finish, InstanceId } from "@weft/protocol";
import { expect, test } from "vitest";
import type { Held } from "../src/core/attempts.ts";
import { encodeFinishes, FinishItem } from "../src/finish-item.ts";
import { assignmentOf, taskId } from "./assignment.ts";

const finish: Finish = {
  id: taskId(1),
  attempt: 2,
  outcome: "succeeded",
  started: true,
  progress: encodeProgress({ task: taskId(1), attempt: 2, fraction: 1 }),
  value: encodeValue({ rows: [1, 2] }, "the result"),
  failure: null,
};
const held: Held = {
  id: taskId(1),
  assignment: assignmentOf({ id: taskId(1), attempt: 2 }),
  state: "finishing",
  hasBegun: true,
};
const itemOf = (of: Finish): FinishItem => new FinishItem(of, held, () => undefined);

test("is read back as it was, together with others", () => {
  const other: Finish = {
    ...finish,
    id: taskId(2),
    outcome: "returned",
    started: false,
    progress: null,
    value: null,
  };
  const instance = InstanceId.create();
  const items = [finish, other].map(itemOf);
  const read = decodeRecord("finish", encodeFinishes(instance, { number: 7, kind: "finish", items }));
  if (!read.ok || read.value.type !== "finish") throw new Error("it is no finish");
  expect(read.value).toMatchObject({ instance, number: 7 });
  expect(read.value.finishes.map(({ id, outcome }) => [id, outcome])).toEqual([
    [taskId(1), "succeeded"],
    [taskId(2), "returned"],
  ]);
  expect(Buffer.from(read.value.finishes[0]?.value ?? [])).toEqual(Buffer.from(finish.value ?? []));
});

test("counts for at least what it adds to a record", () => {
  const instance = InstanceId.create();
  const size = (count: number): number => {
    const items = Array.from({ length: count }, () => itemOf(finish));
    return encodeFinishes(instance, { number: 7, kind: "finish", items }).length;
  };
  expect(itemOf(finish).bytes).toBeGreaterThanOrEqual((size(1_001) - size(1)) / 1_000);
});

test("hears of its acknowledgement, and of nothing when it is given up", () => {
  const heard: unknown[] = [];
  const item = new FinishItem(finish, held, (acknowledged, seq) => void heard.push(acknowledged, seq));
  item.abandoned();
  item.acknowledged(5);
  expect(heard).toEqual([item, 5]);
});
