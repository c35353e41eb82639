/** The records of a client: what is in them, and that a task is written once. */
import { decodeRecord, InstanceId, type Submission, TaskId, TaskName } from "@weft/protocol";
import { Outbox, type OutboxRecord } from "@weft/transport";
import { beforeEach, expect, test } from "vitest";
import { type ClientItem, ClientRecords, cancelItem, receivedItem } from "../src/client-records.ts";
import { OpenTask, type OpenTaskHost } from "../src/open-task.ts";

const INSTANCE = InstanceId.parse("c1");
const LIMITS = { windowMax: 4, fullWindowMax: 4, spanMax: 64, recordBytesMax: 1_000, recordItemsMax: 100 };
const host = { accepted: () => undefined } as unknown as OpenTaskHost;
const idOf = (n: number): TaskId => TaskId.parse(`00aaaa${String(n).padStart(16, "0")}`);

function submissionOf(n: number): Submission {
  return { id: idOf(n), name: TaskName.parse("echo"), args: Uint8Array.of(n), dependsOn: [], options: null };
}

let records: ClientRecords;
let outbox: Outbox<ClientItem["kind"], ClientItem>;
beforeEach(() => {
  records = new ClientRecords(INSTANCE);
  outbox = new Outbox(LIMITS);
});

function add(item: ClientItem): void {
  records.packed(item, outbox.add(item.kind, item).number);
}

function submit(n: number): OpenTask {
  const task = new OpenTask(idOf(n), "echo", host, submissionOf(n));
  add(task);
  return task;
}

/** The next one that leaves, as the log has it: its number, and what is in it. */
function next(): readonly unknown[] {
  const record = outbox.take() as OutboxRecord<ClientItem["kind"], ClientItem>;
  const read = decodeRecord(record.kind, records.encode(record));
  if (!read.ok) throw new Error(read.kind);
  const { value } = read;
  if (value.type === "submit") return [value.number, ...value.tasks];
  if (value.type === "cancel") return [value.number, ...value.cancels];
  return value.type === "received" ? [value.number, ...value.ids] : [];
}

test("hold what was submitted, cancelled and received, in order, however long they wait to leave", () => {
  const cancel = { id: idOf(1), reason: null, dependents: false };
  submit(1);
  submit(2);
  add(cancelItem(cancel));
  submit(3);
  add(receivedItem(idOf(2)));
  expect(next()).toEqual([1, submissionOf(1), submissionOf(2)]);
  expect(next()).toEqual([2, cancel]);
  submit(4);
  expect(next()).toEqual([3, submissionOf(3)]);
  expect(next()).toEqual([4, idOf(2)]);
  outbox.settle(1);
  expect(next()).toEqual([5, submissionOf(4)]);
});

test("take a task's bytes as it is put into one: nothing else is kept of it on its way", () => {
  const task = submit(1);
  expect([task.takeSubmission(), task.bytes, task.isAccepted]).toEqual([null, 0, false]);
  expect(next()).toEqual([1, submissionOf(1)]);
});

test("of more tasks than a record holds are several", () => {
  for (let n = 0; n < 100; n++) submit(n);
  const ids: TaskId[] = [];
  for (let number = 1; ids.length < 100; number++) {
    const [first, ...tasks] = next() as [number, ...Submission[]];
    expect(first).toBe(number);
    ids.push(...tasks.map(({ id }) => id));
    outbox.settle(number);
  }
  expect(ids).toEqual(Array.from({ length: 100 }, (_, n) => idOf(n)));
});
