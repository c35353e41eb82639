import { expect, test } from "vitest";
import { type AckError, Appender, type Bus, type Connection, type OutboxItem } from "../src/index.ts";
import { connectionOver } from "./appender-support.ts";

type Item = OutboxItem & { readonly name: string };
type Callback = (
  error: Error | null,
  message: { readonly subject: string; readonly data: Uint8Array },
) => void;

/** As much of a connection as an appender uses: what it publishes is kept, and answered when the test says so. */
function fakeNats(): {
  readonly connection: Connection;
  readonly replies: string[];
  readonly answer: (reply: string, ack: object) => void;
} {
  const replies: string[] = [];
  let callback: Callback = () => undefined;
  const nats = {
    subscribe: (_subject: string, options: { readonly callback: Callback }) => {
      callback = options.callback;
      return { unsubscribe: () => undefined };
    },
    publish: (_subject: string, _data: Uint8Array, { reply }: { readonly reply: string }) =>
      void replies.push(reply),
    isClosed: () => false,
  };
  const answer = (subject: string, ack: object): void =>
    callback(null, { subject, data: new TextEncoder().encode(JSON.stringify(ack)) });
  return { connection: connectionOver(nats as unknown as Bus), replies, answer };
}

test("trouble is told when it begins, changes and ends, not for each record that has it", async () => {
  const { connection, replies, answer } = fakeNats();
  const told: (string | null)[] = [];
  const acknowledged: string[] = [];
  const appender = new Appender<string, Item>({
    connection,
    stream: "LOG",
    noun: "tasks",
    subject: (kind) => kind,
    encode: () => new Uint8Array(1),
    onTrouble: (trouble: AckError | null) => told.push(trouble === null ? null : trouble.message),
  });
  const refused = (description: string): object => ({ error: { err_code: 10077, description } });
  const add = async (name: string): Promise<void> => {
    appender.add(name, {
      name,
      bytes: 1,
      acknowledged: () => acknowledged.push(name),
      abandoned: () => undefined,
    });
    // It sends at the end of the turn.
    await new Promise((over) => setImmediate(over));
  };
  for (const name of ["a", "b", "c"]) await add(name);
  expect(replies).toHaveLength(3);
  for (const reply of replies) answer(reply, refused("maximum bytes exceeded"));
  expect(told).toEqual(["maximum bytes exceeded"]);
  answer(replies[0] ?? "", refused("stream is offline"));
  answer(replies[0] ?? "", { stream: "LOG", seq: 1 });
  answer(replies[1] ?? "", { stream: "LOG", seq: 2 });
  expect(told).toEqual(["maximum bytes exceeded", "stream is offline", null]);
  expect(acknowledged).toEqual(["a", "b"]);
  appender.close();
});
