/** A finish on its way into the log. */
import { decodeRecord, encodeProgress, encodeValue, type Finish, InstanceId } from "@weft/protocol";
import { expect, test } from "vitest";
import { encodeFinishes, finishItem } from "../src/finish-item.ts";
import { taskId } from "./assignment.ts";

const finish: Finish = {
  id: taskId(1),
  attempt: 2,
  outcome: "succeeded",
  started: true,
  progress: encodeProgress({ task: taskId(1), attempt: 2, fraction: 1 }),
  value: encodeValue({ rows: [1, 2] }, "the result"),
  failure: null,
};
const ignored = (): void => undefined;

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
  const items = [finish, other].map((each) => finishItem(each, ignored));
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
    const items = Array.from({ length: count }, () => finishItem(finish, ignored));
    return encodeFinishes(instance, { number: 7, kind: "finish", items }).length;
  };
  expect(finishItem(finish, ignored).bytes).toBeGreaterThanOrEqual((size(1_001) - size(1)) / 1_000);
});

test("hears of its acknowledgement, and of nothing when it is given up", () => {
  const heard: number[] = [];
  const item = finishItem(finish, (seq) => void heard.push(seq));
  item.abandoned(new Error("closed"));
  item.acknowledged(5);
  expect(heard).toEqual([5]);
});
