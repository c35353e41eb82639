/**
 * On a real server: several times what the log may hold passes through it, while tasks wait from the beginning to the end.
 * What they need of the log is carried, the log stays within its limit, and nothing that was acknowledged is lost.
 */
import { connect, ResultExpiredError, type TaskHandle } from "@weft/client";
import { Identity, InstanceId, type LedgerSettings, Namespace, Subjects, TaskId } from "@weft/protocol";
import { startNatsServer, waitUntil } from "@weft/testing";
import { Worker } from "@weft/worker";
import { expect, test } from "vitest";
import { Coordinator } from "../../packages/coordinator/src/shell/coordinator.ts";
import { createNamespace, type NamespaceConfig } from "../../packages/coordinator/src/shell/namespace.ts";
import {
  closeConnection,
  openConnection,
  type StreamInfo,
  type SystemConnection,
} from "../../packages/transport/src/index.ts";
import { inline } from "../fixtures/inline-tasks.ts";
import { runWeft } from "../fixtures/process.ts";

const LIMIT = 4 * 1024 ** 2;
/** In seconds instead of hours, so that tasks leave while others run. */
const SETTINGS: LedgerSettings = {
  retentionMs: 1_000,
  retentionMinMs: 500,
  settledTasksMax: 0,
  resultBytesMax: LIMIT / 4,
  logBytesMax: LIMIT,
};
const CHECKPOINTS = { bytesMin: LIMIT / 16, ageMinMs: 0, ageMaxMs: 1_000 };
const TEXT = "x".repeat(400);
const BATCH = 500;

/** A coordinator of this process whose connection the test can cut for good, as a kill would. */
type Killable = { readonly coordinator: Coordinator; readonly connection: SystemConnection };

async function coordinate(url: string, config: NamespaceConfig, lines: string[]): Promise<Killable> {
  const connection = await openConnection(Identity.parse("coordinator"), InstanceId.create(), {
    servers: url,
  });
  const parts = {
    log: (line: string) => void lines.push(line),
    settings: () => SETTINGS,
    checkpoints: CHECKPOINTS,
  };
  return { coordinator: await Coordinator.open(connection, config, parts), connection };
}

test("several times the log's limit passes, and what waits for all that time is carried, also past a killed leader", {
  timeout: 90_000,
}, async () => {
  await using server = await startNatsServer();
  const subjects = new Subjects(Namespace.parse("default"));
  const lines: string[] = [];
  const admin = await openConnection(Identity.parse("admin"), InstanceId.create(), { servers: server.url });
  const config = await createNamespace(admin.nats, subjects.namespace, { purgeAgeMs: 0, logBytesMax: LIMIT });
  const first = await coordinate(server.url, config, lines);
  await using _worker = await Worker.start({ servers: server.url, tasks: inline, slots: 20 });
  await using weft = await connect({ servers: server.url });
  const info = (): Promise<StreamInfo> => admin.stream(subjects.stream(0)).info();

  // Nobody has the label yet. What waits with it needs a value that is settled long before, and one that is not.
  const early = weft.submit("echo", "early");
  const late = weft.submit("echo", { note: "as it was given", text: TEXT }, { labels: ["late"] });
  const last = weft.submit<unknown[]>("list", undefined, {
    dependsOn: [early, late],
    dependencyTimeout: "off",
  });
  expect(await early.result()).toBe("early");
  await Promise.all([late.accepted, last.accepted]);
  const waitingSeq = (await info()).lastSeq;

  const ids = new Set<string>();
  let mostBytes = 0;
  /** Until so many times the limit have passed as arguments and results. What is acknowledged has its result. */
  const load = async (times: number): Promise<void> => {
    for (let bytes = 0; bytes < times * LIMIT; bytes += 2 * BATCH * TEXT.length) {
      // As fast as the log is purged: beyond that clients are held back, which takes seconds.
      await waitUntil(async () => (await info()).bytes < 0.6 * LIMIT, { what: "room", timeoutMs: 20_000 });
      const handles: TaskHandle<string>[] = [];
      for (let i = 0; i < BATCH; i++) handles.push(weft.submit<string>("echo", `${ids.size + i} ${TEXT}`));
      const results = await Promise.all(handles.map((handle) => handle.result()));
      for (const [i, result] of results.entries()) expect(result).toBe(`${ids.size + i} ${TEXT}`);
      for (const { id } of handles) ids.add(id);
      mostBytes = Math.max(mostBytes, (await info()).bytes);
    }
  };
  await load(2);
  await waitUntil(async () => (await info()).firstSeq > waitingSeq, { what: "a purge beyond what waits" });
  expect(lines.some((line) => /\d+ values that are needed are carried/.test(line))).toBe(true);

  const second = await coordinate(server.url, config, lines);
  // At once: a connection that is drained still seems open to whoever uses it, and refuses what is published meanwhile.
  await first.connection.nats.close();
  await load(1);
  expect(second.coordinator.leading).toBe(true);
  expect(mostBytes).toBeLessThan(LIMIT);
  expect(ids.size).toBeGreaterThan(15_000);

  await using _late = await Worker.start({ servers: server.url, tasks: inline, labels: ["late"] });
  const given = { note: "as it was given", text: TEXT };
  expect(await late.result()).toEqual(given);
  expect(await last.result()).toEqual(["early", given]);
  expect((await info()).firstSeq).toBeGreaterThan(waitingSeq);
  await second.coordinator.stop();
  await closeConnection(admin);
});

test("of a task that has left, by the hour of its id, its state and `weft cancel` say that it has expired", async () => {
  await using server = await startNatsServer();
  const admin = await openConnection(Identity.parse("admin"), InstanceId.create(), { servers: server.url });
  const config = await createNamespace(admin.nats, Namespace.parse("default"), { logBytesMax: LIMIT });
  const { coordinator } = await coordinate(server.url, config, []);
  await using _worker = await Worker.start({ servers: server.url, tasks: inline });
  await using weft = await connect({ servers: server.url });
  const id = TaskId.create(0, Date.now() - 3 * 3_600_000);
  expect(await weft.submit("echo", 1, { id }).result()).toBe(1);
  const stateOf = (): Promise<unknown> =>
    weft
      .handle(id)
      .state()
      .catch((error: unknown) => error);
  await waitUntil(async () => (await stateOf()) instanceof ResultExpiredError, { what: "that it leaves" });
  const { code, stdout } = await runWeft(["cancel", id], { env: { WEFT_URL: server.url } });
  expect(stdout).toMatch(new RegExp(`^${id} expired: `));
  expect(code).toBe(1);
  await coordinator.stop();
  await closeConnection(admin);
});
