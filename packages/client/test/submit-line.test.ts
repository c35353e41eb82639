/** Which task waits for what on its way to the log. */
import { type Submission, TaskId, TaskName, TooManyPendingError } from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { type Lined, SubmitLine } from "../src/submit-line.ts";

const LARGE = new Uint8Array(100);
const SMALL = new Uint8Array(1);
const idOf = (n: number): TaskId => TaskId.parse(`00aaaa${String(n).padStart(16, "0")}`);

let added: TaskId[];
let abandoned: [TaskId, string][];
let handed: [TaskId, number][];
let stores: { readonly task: TaskId; readonly done: PromiseWithResolvers<Uint8Array> }[];
let isFull: boolean;
let line: SubmitLine<Lined & { readonly id: TaskId }>;

beforeEach(() => {
  added = [];
  abandoned = [];
  handed = [];
  stores = [];
  isFull = false;
  line = new SubmitLine({
    writer: {
      isLarge: (value) => value.length > 10,
      admit: () => {
        if (isFull) throw new TooManyPendingError("bytes", 1);
      },
      store: (_, { task }) => {
        const done = Promise.withResolvers<Uint8Array>();
        stores.push({ task, done });
        return done.promise;
      },
    },
    add: (task) => void added.push(task.id),
  });
});

function submit(n: number, args: Uint8Array, dependsOn: readonly number[] = []): void {
  const id = idOf(n);
  const submission: Submission = {
    id,
    name: TaskName.parse("t"),
    args,
    dependsOn: dependsOn.map(idOf),
    options: null,
  };
  const task = {
    id,
    hand: ({ args: given }: Submission) => void handed.push([id, given.length]),
    abandoned: (error: Error) => void abandoned.push([id, error.message]),
  };
  line.submit(task, submission);
}
const stored = (n: number): void =>
  stores.find(({ task }) => task === idOf(n))?.done.resolve(Uint8Array.of(0xc1));

test("a task that waits for nothing is handed over at once", () => {
  submit(1, SMALL);
  submit(2, SMALL, [1]);
  expect(added).toEqual([idOf(1), idOf(2)]);
});

test("a task waits for its argument, those that depend on it wait for it at every distance, and others do not", async () => {
  submit(1, LARGE);
  submit(2, SMALL, [1]);
  submit(3, SMALL, [2]);
  submit(4, SMALL);
  expect(added).toEqual([idOf(4)]);
  stored(1);
  await line.idle();
  expect(added).toEqual([4, 1, 2, 3].map(idOf));
  expect(handed).toEqual([[idOf(1), 1]]);
});

test("a large argument whose dependency waits is stored meanwhile", async () => {
  submit(1, LARGE);
  submit(2, LARGE, [1]);
  expect(stores.map(({ task }) => task)).toEqual([idOf(1), idOf(2)]);
  stored(2);
  await Promise.resolve();
  expect(added).toEqual([]);
  stored(1);
  await line.idle();
  expect(added).toEqual([idOf(1), idOf(2)]);
});

test("what there is no room for is refused, and waits for nothing", () => {
  isFull = true;
  expect(() => submit(1, LARGE)).toThrow(TooManyPendingError);
  submit(2, SMALL, [1]);
  expect(added).toEqual([idOf(2)]);
});

test("what waits when the line closes is given up, and so is what could not be stored", async () => {
  submit(1, LARGE);
  submit(2, LARGE);
  stores[0]?.done.reject(new Error("no"));
  line.close();
  stored(2);
  await line.idle();
  expect(added).toEqual([]);
  expect(abandoned).toEqual([
    [idOf(1), "no"],
    [idOf(2), "the client is closed"],
  ]);
});
