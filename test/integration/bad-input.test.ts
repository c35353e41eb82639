/** Bad input gets a clear error and loses nothing. */
import { readFile } from "node:fs/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats, type NatsConnection } from "@nats-io/transport-node";
import { connect, EncodingError, PayloadTooLargeError, UsageError } from "@weft/client";
import { Coordinator } from "@weft/coordinator";
import {
  encodeRecord,
  FOLD_VERSION,
  Identity,
  InstanceId,
  Namespace,
  Nonce,
  Sender,
  Subjects,
  TaskId,
  TaskName,
} from "@weft/protocol";
import { startNatsServer, startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { Worker } from "@weft/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inline } from "../fixtures/inline-tasks.ts";
import { threadSum } from "../fixtures/tasks.ts";

const subjects = new Subjects(Namespace.parse("default"));
const lines: string[] = [];
let cluster: TestCluster;
let raw: NatsConnection;

beforeAll(async () => {
  cluster = await startTestCluster({ worker: { tasks: inline, slots: 4 }, log: (line) => lines.push(line) });
  raw = await connectNats({ servers: cluster.server.url });
});
afterAll(async () => {
  await raw.close();
  await cluster.stop();
});

describe("a call", () => {
  test("with arguments that cannot be encoded is refused before anything is sent, naming the place", async () => {
    const weft = await cluster.client();
    const cycle: { list: unknown[] } = { list: [] };
    cycle.list.push({ back: cycle });
    expect(() => weft.submit("echo", cycle)).toThrow(EncodingError);
    expect(() => weft.submit("echo", cycle)).toThrow("its .list[0].back is a reference back to itself");
    expect(() => weft.submit("echo", { on: { click: () => 1 } })).toThrow("its .on.click is a function");
    expect(() => weft.submit("echo", new Map())).toThrow("a Map");
    expect(() => weft.submit("echo", weft.submit("echo", 1))).toThrow("name it in `dependsOn`");
    expect(await weft.submit("echo", "still works").result()).toBe("still works");
  });

  test("with a value over the limit, a wrong name, an unknown option or a wrong dependency is refused", async () => {
    const weft = await cluster.client();
    expect(() => weft.submit("echo", new Uint8Array(600 * 1024 ** 2))).toThrow(PayloadTooLargeError);
    expect(() => weft.submit("no spaces", 1)).toThrow(UsageError);
    expect(() => weft.submit("echo", 1, { prioritty: 1 } as object)).toThrow(
      'there is no option "prioritty"',
    );
    expect(() => weft.submit("echo", 1, { dependsOn: ["nonsense"] })).toThrow("is not a task id");
    expect(() => weft.submit("echo", 1, { priority: 0.5 })).toThrow("priority must be a whole number");
  });
});

describe("a task", () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, -0.1, 1.5])(
    "that reports %s as progress fails with InvalidProgressError",
    async (fraction) => {
      const weft = await cluster.client();
      const { outcome, error } = await weft.submit("bad-progress", fraction).settled();
      expect(outcome).toBe("failed");
      expect((error?.cause as Error).name).toBe("InvalidProgressError");
      expect((error?.cause as Error).message).toContain("from 0 to 1");
    },
  );

  test("whose result cannot travel or is too large fails by name", async () => {
    const weft = await cluster.client();
    const one = await weft.submit("returns-function").settled();
    expect((one.error?.cause as Error).message).toContain(
      "the result of task returns-function cannot be encoded",
    );
    const other = await weft.submit("returns-too-much").settled();
    expect((other.error?.cause as Error).name).toBe("PayloadTooLargeError");
  });
});

describe("the wire", () => {
  test("malformed records and messages are void, counted, logged once per kind, and nothing stops", async () => {
    const junk = [
      new Uint8Array(),
      new TextEncoder().encode("junk"),
      new Uint8Array(2_000).fill(0x91),
      Uint8Array.of(0xdd, 255, 255, 255, 255),
    ];
    const sender = Sender.of(Identity.parse("evil"), InstanceId.create());
    for (let round = 0; round < 3; round++) {
      for (const data of junk) {
        for (const kind of ["submit", "cancel", "finish", "peer"] as const)
          raw.publish(subjects.log(0, kind, sender), data);
        raw.publish("weft.v1.default.log.0.control.guess", data);
        raw.publish("weft.v1.default.log.0.nonsense.a.b", data);
        raw.publish(subjects.presence(sender), data);
        raw.publish(subjects.ask(0, sender), data, { reply: "somewhere.else" });
        raw.publish(subjects.hello(0), data);
      }
    }
    await raw.flush();
    const weft = await cluster.client();
    expect(await weft.submit("echo", "unharmed").result()).toBe("unharmed");
    const voids = lines.filter((line) => line.startsWith("void:"));
    expect(voids.length).toBeGreaterThan(3);
    expect(new Set(voids).size).toBe(voids.length);
  });

  test("whoever does not know the secret cannot lead, and an instance cannot write in another's name", async () => {
    const instance = InstanceId.create();
    const elected = encodeRecord({
      type: "control",
      instance,
      number: 1,
      epoch: 0,
      wallMs: Date.now(),
      foldVersion: FOLD_VERSION,
      event: { type: "elected", nonce: Nonce.create() },
    });
    raw.publish("weft.v1.default.log.0.control.guess", elected);
    const task = {
      id: TaskId.create(0, Date.now()),
      name: TaskName.parse("echo"),
      args: Uint8Array.of(1),
      dependsOn: [],
      options: null,
    };
    const forged = encodeRecord({ type: "submit", instance, number: 1, tasks: [task] });
    raw.publish(subjects.log(0, "submit", Sender.of(Identity.parse("client"), InstanceId.create())), forged);
    await raw.flush();
    const weft = await cluster.client();
    expect(await weft.submit("echo", 1).result()).toBe(1);
    expect(cluster.leader().leading).toBe(true);
    expect(await weft.handle(task.id).state()).toBe("unknown");
  });

  test("a question that wants its answer on another's subject gets none", async () => {
    const stolen: string[] = [];
    const subscription = raw.subscribe("stolen", {
      callback: (_error, message) => void stolen.push(message.subject),
    });
    const { encodeAsk } = await import("@weft/protocol");
    const sender = Sender.of(Identity.parse("client"), InstanceId.create());
    raw.publish(subjects.ask(0, sender), encodeAsk({ afterSeq: 0, question: { type: "info" } }), {
      reply: "stolen",
    });
    await raw.flush();
    await waitUntil(() => lines.some((line) => line.includes("outside the sender's inbox")));
    expect(stolen).toEqual([]);
    subscription.unsubscribe();
  });
});

describe("a server", () => {
  test("that is not there is named with how long it was tried", async () => {
    await expect(connect({ servers: "nats://127.0.0.1:1", connectTimeoutMs: 300 })).rejects.toThrow(
      /no NATS server answered at nats:\/\/127\.0\.0\.1:1 within 0\.[0-9] s/,
    );
  });

  test("without JetStream is refused by clients, workers and coordinators", async () => {
    await using server = await startNatsServer({ jetstream: false });
    const servers = server.url;
    await expect(connect({ servers })).rejects.toThrow("runs without JetStream");
    await expect(Worker.start({ servers, tasks: inline })).rejects.toThrow("runs without JetStream");
    await expect(Coordinator.start({ servers })).rejects.toThrow("runs without JetStream");
  });

  test("without the namespace is refused by a coordinator, which says what to run", async () => {
    await using server = await startNatsServer();
    await expect(Coordinator.start({ servers: server.url, namespace: "other" })).rejects.toThrow(
      "weft init --namespace other",
    );
  });
});

describe("a log", () => {
  test("that was written by a newer version stops the coordinator with LogTooNewError", async () => {
    await using other = await startTestCluster();
    await other.leader().stop();
    const nats = await connectNats({ servers: other.server.url });
    const { config } = await (await jetstreamManager(nats)).streams.info("WEFT_default_0");
    const secret = config.metadata?.["weft.secret"] ?? "";
    const elected = encodeRecord({
      type: "control",
      instance: InstanceId.create(),
      number: 1,
      epoch: 0,
      wallMs: Date.now(),
      foldVersion: FOLD_VERSION + 1,
      event: { type: "elected", nonce: Nonce.create() },
    });
    await nats.request(`weft.v1.default.log.0.control.${secret}`, elected);
    await nats.close();
    await expect(Coordinator.start({ servers: other.server.url })).rejects.toThrow(
      `folded by version ${FOLD_VERSION + 1}`,
    );
  });
});

describe("a worker", () => {
  test("without tasks, or with thread tasks and no file, does not start", async () => {
    const servers = cluster.server.url;
    await expect(Worker.start({ servers, tasks: {} })).rejects.toThrow("at least one task");
    await expect(Worker.start({ servers, tasks: { threadSum } })).rejects.toThrow(
      "start the worker with `files`",
    );
    await expect(Worker.start({ servers, tasks: inline, slots: 0 })).rejects.toThrow(
      "slots must be a whole number",
    );
  });

  test("with a file that does not load, or two tasks of one name, says where", async () => {
    const servers = cluster.server.url;
    const broken = new URL("../fixtures/broken-tasks.ts", import.meta.url);
    const text = await readFile(broken, "utf8");
    const line = text.split("\n").findIndex((each) => each.startsWith("undefinedFunction")) + 1;
    await expect(Worker.start({ servers, files: [broken.href] })).rejects.toThrow(
      `broken-tasks.ts:${line} does not load`,
    );
    const twice = new URL("../fixtures/twice-tasks.ts", import.meta.url).href;
    const first = new URL("../fixtures/tasks.ts", import.meta.url).href;
    await expect(Worker.start({ servers, files: [first, twice] })).rejects.toThrow(
      /two tasks are named "echo": .*tasks\.ts .*twice-tasks\.ts/,
    );
  });

  test("that asks for a password takes it from the address, and it is in no message", async () => {
    await using guarded = await startNatsServer({ config: 'authorization { user: "a b", password: "p:@" }' });
    const address = (user: string): string => guarded.url.replace("//", `//${user}@`);
    const weft = await connect({ servers: address("a%20b:p%3A%40") });
    await weft.close();
    const refused = connect({ servers: address("a%20b:secret"), connectTimeoutMs: 300 });
    await expect(refused).rejects.toThrow(/Authorization Violation/);
    await expect(refused).rejects.not.toThrow(/secret/);
  });
});
