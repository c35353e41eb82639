/** The appender against a real log: one that is not there yet, is full, or goes down with its server. */
import type { Identity, InstanceId } from "@weft/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type NatsServer, startNatsServer, waitUntil } from "../../testing/src/index.ts";
import {
  type AckError,
  Appender,
  closeConnection,
  openConnection,
  type SystemConnection,
} from "../src/index.ts";
import { encode, itemsOf, NotedItem } from "./appender-support.ts";

let server: NatsServer;
let connection: SystemConnection;
let appender: Appender<string, NotedItem>;
let troubles: (AckError | null)[];

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  connection = await openConnection("me" as Identity, "i1" as InstanceId, { servers: server.url });
  troubles = [];
  appender = new Appender<string, NotedItem>({
    connection,
    stream: "LOG",
    noun: "tasks",
    subject: (kind) => `log.${kind}`,
    encode,
    onTrouble: (trouble) => troubles.push(trouble),
  });
});
afterEach(async () => {
  appender.close();
  await api("STREAM.DELETE.LOG", {});
  await closeConnection(connection);
});

async function api<T>(name: string, body: object): Promise<T> {
  const answer = await connection.nats.request(`$JS.API.${name}`, JSON.stringify(body), { timeout: 5_000 });
  return answer.json<T>();
}

const STREAM = { name: "LOG", subjects: ["log.>"], storage: "file", discard: "new", num_replicas: 1 };
const createLog = (more: object = {}): Promise<unknown> => api("STREAM.CREATE.LOG", { ...STREAM, ...more });

async function readLog(): Promise<string[]> {
  const { state } = await api<{ state: { last_seq: number } }>("STREAM.INFO.LOG", {});
  const texts: string[] = [];
  for (let seq = 1; seq <= state.last_seq; seq++) {
    const got = await api<{ message: { data: string } }>("STREAM.MSG.GET.LOG", { seq });
    texts.push(Buffer.from(got.message.data, "base64").toString());
  }
  return texts;
}

/** The items in the order in which the log has them, repeats of a record left out. */
const itemsIn = (log: readonly string[]): string[] =>
  [...new Set(log)].flatMap((record) => record.slice(record.indexOf(": ") + 2).split(" "));

describe("a log", () => {
  test("has everything in order, in far fewer records than items", async () => {
    await createLog();
    const items = itemsOf(2_000);
    for (const [at, each] of items.entries()) {
      appender.add("submit", each);
      if (at % 20 === 19) await new Promise(setImmediate);
    }
    await appender.idle();
    const log = await readLog();
    expect(itemsIn(log)).toEqual(items.map(({ name }) => name));
    expect(log.length).toBeLessThanOrEqual(100);
    expect(items.every(({ seqs, errors }) => seqs.length === 1 && errors.length === 0)).toBe(true);
    expect(items[0]?.seqs).toEqual([1]);
    expect(troubles).toEqual([]);
  });

  test("that is not there yet gets everything when it is", async () => {
    const items = itemsOf(5);
    for (const each of items) appender.add("submit", each);
    await waitUntil(() => troubles.length > 0);
    expect(troubles[0]).toMatchObject({ code: 503 });
    expect(items.every(({ seqs }) => seqs.length === 0)).toBe(true);
    await createLog();
    await appender.idle();
    expect(itemsIn(await readLog())).toEqual(["0", "1", "2", "3", "4"]);
    expect(troubles.at(-1)).toBeNull();
  });

  test("that is full gets the rest when it has room", async () => {
    await createLog({ max_msgs: 1 });
    const [first, second] = [new NotedItem("first"), new NotedItem("second")];
    appender.add("submit", first);
    await appender.idle();
    appender.add("submit", second);
    await waitUntil(() => troubles.length > 0);
    expect(troubles[0]?.message).toMatch(/maximum messages/);
    expect([second.seqs, second.errors]).toEqual([[], []]);
    await api("STREAM.UPDATE.LOG", { ...STREAM, max_msgs: 10 });
    await appender.idle();
    expect(await readLog()).toEqual(["1 submit: first", "2 submit: second"]);
  });

  test("whose server is killed and comes back has what was added meanwhile, every item", async () => {
    await createLog();
    const items = itemsOf(300);
    for (const each of items.slice(0, 100)) appender.add("submit", each);
    await appender.idle();
    for (const each of items.slice(100, 200)) appender.add("submit", each);
    server.kill();
    await server.exited;
    for (const each of items.slice(200)) appender.add("submit", each);
    await server.restart();
    await appender.idle();
    expect(items.every(({ seqs, errors }) => seqs.length === 1 && errors.length === 0)).toBe(true);
    // A record may be there twice, which its number tells; none is missing.
    const log = await readLog();
    expect(itemsIn(log)).toEqual(items.map(({ name }) => name));
    const numbers = new Map(log.map((record) => [record.split(" ")[0], record]));
    expect(numbers.size).toBe(new Set(log).size);
  });
});
