/** The permissions that docs/security.md lists are enough to work with, and keep roles apart. */
import { connect as connectNats, type NatsConnection } from "@nats-io/transport-node";
import { type Client, connect } from "@weft/client";
import { Coordinator } from "@weft/coordinator";
import { type NatsServer, startNatsServer, waitUntil } from "@weft/testing";
import { Worker } from "@weft/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { echo, hold, size, sum } from "../fixtures/tasks.ts";
import { page, rowsOf } from "./pages.ts";

const ROLES = ["client", "worker", "coordinator", "monitor"] as const;
type Role = (typeof ROLES)[number];

const subjectsIn = (cell: string | undefined): readonly string[] =>
  [...(cell ?? "").matchAll(/`([^`]+)`/g)].map(([, subject = ""]) => subject.replaceAll("<ns>", "default"));
const rows = rowsOf(page("docs/security.md"));

function userOf(role: Role): string {
  const [, publish, subscribe] = rows.find(([first]) => first?.split(" ")[0] === role) ?? [];
  const list = (subjects: readonly string[]): string =>
    JSON.stringify(subjects.length === 0 ? ["nothing"] : subjects);
  const permissions = `{ publish: ${list(subjectsIn(publish))}, subscribe: ${list(subjectsIn(subscribe))} }`;
  return `{ user: ${role}, password: secret, permissions: ${permissions} }`;
}

let server: NatsServer;
let coordinator: Coordinator;
let worker: Worker;
let weft: Client;
const lines: string[] = [];
const log = (line: string): void => void lines.push(line);
const urlOf = (role: Role): string => server.url.replace("//", `//${role}:secret@`);
const rawOf = (role: Role): Promise<NatsConnection> =>
  connectNats({ servers: server.url, user: role, pass: "secret", inboxPrefix: `_I.${role}.test` });

beforeAll(async () => {
  server = await startNatsServer({ config: `authorization { users: [${ROLES.map(userOf).join(", ")}] }` });
  coordinator = await Coordinator.start({ servers: urlOf("coordinator"), create: true, log });
  await coordinator.untilLeading();
  worker = await Worker.start({ servers: urlOf("worker"), tasks: { echo, hold, size, sum }, log });
  weft = await connect({ servers: urlOf("client"), onError: (error) => log(`client: ${error.message}`) });
});
afterAll(async () => {
  await weft.close();
  await worker.stop({ graceMs: 0 });
  await coordinator.stop();
  await server.stop();
});

test("a task, its dependencies, progress, state and cancel work with them, and nobody is refused anything", async () => {
  const numbers = [1, 2, 3].map((n) => weft.submit<number>("echo", n));
  expect(await weft.submit("sum", undefined, { dependsOn: numbers }).result()).toBe(6);
  const held = weft.submit("hold");
  await new Promise((begun) => held.onProgress(begun));
  expect(await held.state()).toBe("released");
  expect(await held.cancel()).toMatchObject({ outcome: "cancelled", stopped: "while_running" });
  const id = weft.submit("echo", "followed").id;
  expect(await weft.handle(id).result()).toBe("followed");
  // What does not fit into an assignment makes the worker ask for it.
  const large = Array.from({ length: 3 }, () => weft.submit<string>("echo", "x".repeat(300_000)));
  expect(await weft.submit("size", undefined, { dependsOn: large }).result()).toBe(3);
  expect(await large[0]?.result()).toBe("x".repeat(300_000));
  expect(lines.filter((line) => /permission/i.test(line))).toEqual([]);
  expect(server.logs()).not.toMatch(/violation/i);
});

test.each([
  ["client", "$JS.API.STREAM.INFO.WEFT_default_0"],
  ["client", "weft.v1.default.log.0.control.guess"],
  ["client", "weft.v1.default.log.0.finish.worker.w1"],
  ["client", "weft.v1.default.log.0.submit.other.c1"],
  ["client", "weft.v1.default.blob.0.worker.b.0"],
  ["worker", "weft.v1.default.blob.0.client.b.0"],
  ["worker", "$JS.API.STREAM.DELETE.WEFT_default_0"],
  ["worker", "weft.v1.default.log.0.submit.client.c1"],
  ["worker", "weft.v1.default.client.client.c1"],
  ["monitor", "weft.v1.default.log.0.submit.client.c1"],
] as const)("a %s cannot publish on %s", async (role, subject) => {
  const nats = await rawOf(role);
  const refused: string[] = [];
  void (async () => {
    for await (const status of nats.status()) if (status.type === "error") refused.push(status.error.message);
  })();
  nats.publish(subject, "x");
  await waitUntil(() => refused.some((message) => /permissions violation.*publish/i.test(message)), {
    story: () => refused.join("\n"),
  });
  await nats.close();
});
