/** The values that did not fit into an assignment, asked for page by page of a leader that is a few lines long. */
import { connect, type Msg, type NatsConnection } from "@nats-io/transport-node";
import {
  type Answer,
  type AssignedDeps,
  decodeAsk,
  encodeReply,
  encodeValue,
  Identity,
  InstanceId,
  Namespace,
  Subjects,
  type TaskId,
} from "@weft/protocol";
import { type Connection, closeConnection, openConnection } from "@weft/transport";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type NatsServer, startNatsServer } from "../../testing/src/index.ts";
import { inputInside, inputOf } from "../src/attempt-values.ts";
import { LargeValues } from "../src/large-values.ts";
import { assignmentOf, taskId } from "./assignment.ts";

const subjects = new Subjects(Namespace.parse("default"));
let server: NatsServer;
let leader: NatsConnection;
let connection: Connection;
let asked: (readonly TaskId[])[] = [];
let answer: (ids: readonly TaskId[]) => Answer;

function onAsk(message: Msg): void {
  const read = decodeAsk(message.data);
  if (!read.ok || read.value.question.type !== "values") return;
  const { ids } = read.value.question;
  asked.push(ids);
  message.respond(encodeReply({ epoch: 1, foldedSeq: 1, answer: answer(ids) }));
}

beforeAll(async () => {
  server = await startNatsServer();
  leader = await connect({ servers: server.url });
  leader.subscribe(subjects.askAll(0), { callback: (_error, message) => onAsk(message) });
  connection = await openConnection(Identity.parse("worker"), InstanceId.create(), { servers: server.url });
});
afterAll(async () => {
  await closeConnection(connection);
  await leader.close();
  await server.stop();
});
beforeEach(() => {
  asked = [];
});

const bytesOf = (value: unknown): Uint8Array => encodeValue(value, "a value");
const told = (values: readonly (Uint8Array | null)[]): Answer => ({ type: "values", values });

async function complete(deps: AssignedDeps | null): Promise<readonly (Uint8Array | null)[]> {
  const assignment = assignmentOf({ deps });
  const large = new LargeValues({ connection, subjects, onTrouble: () => undefined });
  const values = await inputOf(assignment, { connection, subjects, large, isWanted: () => true });
  expect(values.deps.includes(null)).toBe(false);
  if (deps !== null) expect(inputInside(assignment) === null).toBe(deps.values.includes(null));
  return values.deps;
}

test("no dependencies have no values, and complete ones are taken as they are: nobody is asked", async () => {
  answer = () => told([]);
  expect(await complete(null)).toEqual([]);
  const values = [bytesOf(1), bytesOf(undefined)];
  expect(await complete({ ids: [taskId(1), taskId(2)], values })).toEqual(values);
  expect(asked).toEqual([]);
});

test("those that are missing come to their places, whatever is missing and however short the pages are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      async (given, pages) => {
        asked = [];
        let page = 0;
        answer = (ids) => told(ids.slice(0, pages[page++ % pages.length]).map((id) => bytesOf(id)));
        const ids = given.map((_, i) => taskId(i));
        const values = given.map((has, i) => (has ? bytesOf(taskId(i)) : null));
        expect(await complete({ ids, values })).toEqual(ids.map((id) => bytesOf(id)));
        expect(asked[0] ?? []).toEqual(ids.filter((_, i) => !given[i]));
      },
    ),
    { numRuns: 40 },
  );
});

test("one dependency named many times gets its value in each place", async () => {
  answer = (ids) => told(ids.map((id) => bytesOf(id)));
  const ids = [taskId(1), taskId(2), taskId(1), taskId(1)];
  expect(await complete({ ids, values: ids.map(() => null) })).toEqual(ids.map((id) => bytesOf(id)));
});

test("thousands are asked for in bounded questions", async () => {
  answer = (ids) => told(ids.map((id) => bytesOf(id)));
  const ids = Array.from({ length: 2_500 }, (_, i) => taskId(i));
  expect(await complete({ ids, values: ids.map(() => null) })).toHaveLength(2_500);
  expect(asked.map((page) => page.length)).toEqual([1_000, 1_000, 500]);
});

test("an empty page is a defect, not an endless question", async () => {
  answer = () => told([]);
  await expect(complete({ ids: [taskId(1)], values: [null] })).rejects.toThrow("came back empty");
  expect(asked).toHaveLength(1);
});

test("a value that is gone is said to be gone: it does not look like one that is undefined", async () => {
  answer = () => told([null]);
  await expect(complete({ ids: [taskId(1)], values: [null] })).rejects.toThrow(
    `dependency ${taskId(1)} succeeded and has no value`,
  );
  answer = () => told([bytesOf(undefined)]);
  expect(await complete({ ids: [taskId(1)], values: [null] })).toEqual([bytesOf(undefined)]);
});

test("a leader that refuses is told with its words", async () => {
  answer = () => ({ type: "refused", message: "not today" });
  await expect(complete({ ids: [taskId(1)], values: [null] })).rejects.toThrow("not today");
});
