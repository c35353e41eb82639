/** Real processes that are killed without warning: nothing acknowledged is lost, nothing settles twice. */
import { connect as connectNats } from "@nats-io/transport-node";
import { connect, type WorkersLostError } from "@weft/client";
import { decodePresence } from "@weft/protocol";
import { type NatsServer, startNatsServer, waitUntil } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tapEvents } from "../fixtures/event-tap.ts";
import { startWeft, type WeftProcess } from "../fixtures/process.ts";

const file = new URL("../fixtures/tasks.ts", import.meta.url).pathname;
let server: NatsServer;
const running: WeftProcess[] = [];

function start(...args: string[]): WeftProcess {
  const started = startWeft([...args, "--url", server.url]);
  running.push(started);
  return started;
}

beforeEach(async () => {
  server = await startNatsServer();
});
afterEach(async () => {
  for (const each of running.splice(0)) {
    each.kill("SIGKILL");
    await each.exited;
  }
  await server.stop();
});

test("a worker that is killed loses nothing: its tasks are run again by another", {
  timeout: 60_000,
}, async () => {
  expect(await start("init").exited).toBe(0);
  const coordinator = start("coordinator");
  await coordinator.printed("leads");
  const victim = start("worker", file, "--slots", "4");
  await victim.printed("ready");
  await using weft = await connect({ servers: server.url });
  const held = Array.from({ length: 4 }, () => weft.submit("hold"));
  const begun = new Set<string>();
  for (const handle of held) handle.onProgress(() => begun.add(handle.id));
  await waitUntil(() => begun.size === 4);
  const queued = Array.from({ length: 20 }, (_, i) => weft.submit<number>("echo", i));
  await Promise.all(queued.map((handle) => handle.accepted));
  victim.kill("SIGKILL");
  await start("worker", file, "--slots", "8").printed("ready");
  expect(await Promise.all(queued.map((handle) => handle.result()))).toEqual(
    Array.from({ length: 20 }, (_, i) => i),
  );
  await Promise.all(held.map((handle) => handle.cancel()));
  const settlements = await Promise.all(held.map((handle) => handle.settled()));
  expect(settlements.map(({ outcome }) => outcome)).toEqual(Array(4).fill("cancelled"));
});

test("a task that kills its workers is given up after five, with the evidence; its neighbours come to no harm", {
  timeout: 120_000,
}, async () => {
  const coordinator = start("coordinator", "--create");
  await coordinator.printed("leads");
  await using weft = await connect({ servers: server.url });
  const killer = weft.submit("exit-worker");
  const neighbours = Array.from({ length: 3 }, (_, i) => weft.submit<number>("slow-echo", i));
  const workers: string[] = [];
  let isOver = false;
  const settled = killer.settled().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const worker = start("worker", file, "--slots", "4");
    await worker.printed("ready");
    workers.push(/worker\.[\w-]+/.exec(worker.output())?.[0] ?? "");
    await Promise.race([worker.exited, settled]);
  }
  const { error, outcome } = await settled;
  expect(outcome).toBe("failed");
  const { losses } = error?.cause as WorkersLostError;
  expect(losses.map(({ worker }) => worker)).toEqual(workers.slice(0, 5));
  expect(losses.every(({ atMs }, at) => atMs >= (losses[at - 1]?.atMs ?? 0))).toBe(true);
  await start("worker", file, "--slots", "4").printed("ready");
  expect(await Promise.all(neighbours.map((each) => each.result()))).toEqual([0, 1, 2]);
});

test("a leader that is killed is replaced, running tasks go on, no handle hangs", {
  timeout: 60_000,
}, async () => {
  const coordinators = [start("coordinator", "--create")];
  await coordinators[0]?.printed("leads");
  coordinators.push(start("coordinator"));
  await coordinators[1]?.printed("stands by");
  const worker = start("worker", file, "--slots", "8");
  await worker.printed("ready");
  await using weft = await connect({ servers: server.url });
  const counts = new Map<number, number>();
  const held = weft.submit("hold");
  let begun = false;
  held.onProgress(() => {
    begun = true;
  });
  await waitUntil(() => begun);
  const handles = [];
  for (let i = 0; i < 3_000; i++) {
    const handle = weft.submit<number>("echo", i);
    handle.onComplete((n) => counts.set(n, (counts.get(n) ?? 0) + 1));
    handles.push(handle);
    if (i === 1_000) await handle.accepted;
    if (i === 1_500) coordinators[0]?.kill("SIGKILL");
  }
  const values = await Promise.all(handles.map((handle) => handle.result()));
  expect(values).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
  await waitUntil(() => counts.size === 3_000);
  expect([...counts.values()].every((count) => count === 1)).toBe(true);
  await held.cancel();
  expect(await held.settled()).toMatchObject({ outcome: "cancelled", attempt: 1 });
});

test("a worker and a coordinator that are asked to stop end with code 0", { timeout: 30_000 }, async () => {
  const coordinator = start("coordinator", "--create");
  await coordinator.printed("leads");
  const worker = start("worker", file);
  await worker.printed("ready");
  worker.kill("SIGTERM");
  expect(await worker.exited).toBe(0);
  coordinator.kill("SIGTERM");
  expect(await coordinator.exited).toBe(0);
});

test("a server that is killed and comes back finds everybody again", { timeout: 60_000 }, async () => {
  const coordinator = start("coordinator", "--create");
  await coordinator.printed("leads");
  const worker = start("worker", file, "--slots", "4");
  await worker.printed("ready");
  await using weft = await connect({ servers: server.url, onError: () => undefined });
  await weft.submit("echo", 1).result();
  server.kill("SIGKILL");
  await server.exited;
  const handles = Array.from({ length: 50 }, (_, i) => weft.submit<number>("echo", i));
  await server.restart();
  expect(await Promise.all(handles.map((handle) => handle.result()))).toHaveLength(50);
});

test("a worker that is killed together with the leader is told to be lost by the next one, with what it ran", {
  timeout: 60_000,
}, async () => {
  const leader = start("coordinator", "--create");
  await leader.printed("leads");
  const next = start("coordinator");
  await next.printed("stands by");
  const killed = start("worker", file, "--slots", "2");
  await killed.printed("ready");
  await using weft = await connect({ servers: server.url });
  await using events = await tapEvents(server.url);
  const held = Array.from({ length: 2 }, () => weft.submit("hold"));
  const begun: string[] = [];
  for (const handle of held) handle.onProgress(() => begun.push(handle.id));
  await waitUntil(() => begun.length === 2);
  const nats = await connectNats({ servers: server.url });
  const said = nats.subscribe("weft.v1.default.presence.>");
  for await (const { data } of said) {
    const read = decodePresence(data);
    if (read.ok && read.value.running === 2) break;
  }
  await nats.close();
  leader.kill("SIGKILL");
  killed.kill("SIGKILL");
  await start("worker", file, "--slots", "2").printed("ready");
  await next.printed("leads");
  await events.told('"why":"gone","attempts":2');
  await waitUntil(() => begun.length === 4, { timeoutMs: 20_000 });
  await Promise.all(held.map((handle) => handle.cancel()));
  for (const handle of held) {
    expect(await handle.settled()).toMatchObject({ outcome: "cancelled", attempt: 2 });
  }
});

test("a worker that is killed is known to be gone, one that is silent is given its lease", {
  timeout: 60_000,
}, async () => {
  await start("coordinator", "--create").printed("leads");
  const killed = start("worker", file);
  const silent = start("worker", file);
  const events = start("events", "--json");
  await Promise.all([killed.printed("ready"), silent.printed("ready")]);
  await using weft = await connect({ servers: server.url });
  // What both were given is run by a third one, once it is clear that they have lost it.
  const held = Array.from({ length: 12 }, () => weft.submit("hold"));
  const begun = new Set<string>();
  for (const handle of held) handle.onProgress(() => begun.add(handle.id));
  await waitUntil(() => begun.size === 4);
  killed.kill("SIGKILL");
  silent.kill("SIGSTOP");
  await events.printed('"why":"silent"');
  const losses = events
    .stdout()
    .split("\n")
    .filter((line) => line.includes("event.worker.lost"))
    .map((line) => JSON.parse(line));
  expect(losses.map(({ why }) => why)).toEqual(["gone", "silent"]);
  expect(losses.map(({ attempts }) => attempts)).toEqual([6, 6]);
  await start("worker", file, "--slots", "12").printed("ready");
  await waitUntil(() => begun.size === 12);
  await Promise.all(held.map((handle) => handle.cancel()));
});

test("a worker that is blocked by inline code beyond its time-out is killed, and another has taken what it held", {
  timeout: 60_000,
}, async () => {
  await start("coordinator", "--create").printed("leads");
  const blocked = start("worker", file, "--slots", "2", "--cancel-grace", "100ms");
  await blocked.printed("ready");
  await using weft = await connect({ servers: server.url });
  const held = weft.submit("hold");
  const begun: unknown[] = [];
  held.onProgress(() => begun.push(null));
  await waitUntil(() => begun.length === 1);
  const retry = { maximumAttempts: 2, initialInterval: 10 };
  const blocking = weft.submit("block-once", undefined, { timeout: "1s", retry });
  await blocking.accepted;
  await using events = await tapEvents(server.url);
  await events.told('"blockedMs":');
  await start("worker", file, "--slots", "2").printed("ready");
  // Its time limit decides what becomes of it, as anywhere else: the leader has seen to that.
  expect(await blocking.settled()).toMatchObject({ outcome: "succeeded", value: 2, attempt: 2 });
  expect(await blocked.exited).toBe(null);
  expect(blocked.stderr()).toContain(
    `the code of task ${blocking.id}, attempt 1, blocks the event loop beyond its time-out: this process is killed`,
  );
  // What it ran beside that is run again.
  await waitUntil(() => begun.length === 2, { timeoutMs: 20_000 });
  await held.cancel();
  expect(await held.settled()).toMatchObject({ outcome: "cancelled", attempt: 2 });
});

test("a worker whose code blocks its event loop is blocked, not lost, however long it takes", {
  timeout: 60_000,
}, async () => {
  // Longer than the lease.
  const blockMs = 12_500;
  await start("coordinator", "--create").printed("leads");
  await start("worker", file, "--slots", "1").printed("ready");
  await using events = await tapEvents(server.url);
  await using weft = await connect({ servers: server.url });
  const blocking = weft.submit("block", blockMs);
  await events.told('"blockedMs":');
  const shown = start("workers");
  expect(await shown.exited).toBe(0);
  expect(shown.stdout()).toMatch(/worker\.\S+ +blocked /);
  expect(await blocking.settled()).toMatchObject({ outcome: "succeeded", value: "done", attempt: 1 });
  expect(await weft.submit("echo", 1).result()).toBe(1);
  expect(events.text()).not.toContain("event.worker.lost");
});
