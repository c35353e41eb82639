/**
 * On a real server: what coordinator, worker and client hold together stops growing. Each task has a record of its own, so that
 * what is kept of a record shows as well as what is kept of a task.
 */
import { type Client, connect } from "@weft/client";
import { Identity, InstanceId, type LedgerSettings, Namespace, Subjects } from "@weft/protocol";
import { heldBytes, startNatsServer } from "@weft/testing";
import { Worker } from "@weft/worker";
import { expect, test } from "vitest";
import { Coordinator } from "../../packages/coordinator/src/shell/coordinator.ts";
import { createNamespace } from "../../packages/coordinator/src/shell/namespace.ts";
import { openConnection } from "../../packages/transport/src/index.ts";
import { inline } from "../fixtures/inline-tasks.ts";

/** Few tasks are kept once they have settled, and no checkpoint is copied: what is measured is the same each time. */
const SETTINGS: LedgerSettings = {
  retentionMs: 60_000,
  retentionMinMs: 1,
  settledTasksMax: 500,
  resultBytesMax: 0,
  logBytesMax: 0,
};
const CHECKPOINTS = { bytesMin: 1024 ** 3, ageMinMs: 60_000, ageMaxMs: 60_000 };
const CLIENTS = 4;
/** Twice the records whose results are kept at hand, and most code is compiled by then. */
const WARM_TASKS = 20_000;
/** At times something else comes or goes at once: the middle of several is what each task leaves. */
const TIMES = 5;
const TASKS = 8_000;
/** It is about 5 where nothing is kept, and was 90 where 70 were kept of each record. */
const BYTES_A_TASK_MAX = 40;

test("what is held of a task and of its records leaves with it", { timeout: 120_000 }, async () => {
  await using server = await startNatsServer();
  const subjects = new Subjects(Namespace.parse("default"));
  const connection = await openConnection(Identity.parse("coordinator"), InstanceId.create(), {
    servers: server.url,
  });
  const config = await createNamespace(connection.nats, subjects.namespace, { purgeAgeMs: 0 });
  await using _coordinator = await Coordinator.open(connection, config, {
    log: () => undefined,
    settings: () => SETTINGS,
    checkpoints: CHECKPOINTS,
  });
  await using _worker = await Worker.start({ servers: server.url, tasks: inline, slots: 4 });
  await using open = new AsyncDisposableStack();
  const clients: Client[] = [];
  while (clients.length < CLIENTS) clients.push(open.use(await connect({ servers: server.url })));

  const run = async (tasks: number): Promise<void> => {
    const oneByOne = async (client: Client): Promise<void> => {
      for (let done = 0; done < tasks / CLIENTS; done++) await client.submit("echo", done).result();
    };
    await Promise.all(clients.map(oneByOne));
  };
  await run(WARM_TASKS);
  const left: number[] = [];
  while (left.length < TIMES) {
    const before = heldBytes().all;
    await run(TASKS);
    left.push((heldBytes().all - before) / TASKS);
  }
  const [middle] = left.toSorted((a, b) => a - b).slice(TIMES >> 1);
  expect(middle).toBeLessThan(BYTES_A_TASK_MAX);
});
