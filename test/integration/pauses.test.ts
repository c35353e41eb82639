/** Processes that stand still and go on: what others do meanwhile, and what they themselves do with what they believe. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@weft/client";
import { type NatsServer, startNatsServer, waitUntil } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tapEvents } from "../fixtures/event-tap.ts";
import { startWeft, type WeftProcess } from "../fixtures/process.ts";

const file = new URL("../fixtures/tasks.ts", import.meta.url).pathname;
let server: NatsServer;
let folder: string;
const running: WeftProcess[] = [];

function start(...args: string[]): WeftProcess {
  const started = startWeft([...args, "--url", server.url]);
  running.push(started);
  return started;
}

/** What ran, as its code wrote it down. */
async function marks(): Promise<string[]> {
  const text = await readFile(join(folder, "marks"), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

beforeEach(async () => {
  server = await startNatsServer();
  folder = await mkdtemp(join(tmpdir(), "weft-pauses-"));
});
afterEach(async () => {
  for (const each of running.splice(0)) {
    each.kill("SIGKILL");
    await each.exited;
  }
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test("what a blocked worker has not begun is run by another after 5 s, once, and its block goes on", {
  timeout: 90_000,
}, async () => {
  await start("coordinator", "--create").printed("leads");
  const blocked = start("worker", file, "--slots", "1");
  await blocked.printed("ready");
  await using events = await tapEvents(server.url);
  await using weft = await connect({ servers: server.url });
  const blocking = weft.submit("block", 12_000);
  const lines = ["one", "two"];
  const queued = lines.map((line) => weft.submit("mark", { file: join(folder, "marks"), line }));
  await events.told('"takenBack":0');
  await start("worker", file, "--slots", "1").printed("ready");
  await events.told('"takenBack":2');
  const settled = await Promise.all(queued.map((handle) => handle.settled()));
  expect(settled).toMatchObject([
    { outcome: "succeeded", attempt: 2 },
    { outcome: "succeeded", attempt: 2 },
  ]);
  expect(await blocking.settled()).toMatchObject({ outcome: "succeeded", attempt: 1 });
  // It has woken up, and takes work again: nothing of what it had queued ran there.
  const after = Array.from({ length: 20 }, (_, i) => weft.submit("echo", i));
  await Promise.all(after.map((handle) => handle.result()));
  expect((await marks()).toSorted()).toEqual(lines.toSorted());
  expect(events.text()).not.toContain("event.worker.lost");
});

test("a worker that is paused for longer than its lease begins nothing of what others have run meanwhile", {
  timeout: 90_000,
}, async () => {
  await start("coordinator", "--create").printed("leads");
  const paused = start("worker", file, "--slots", "1");
  await paused.printed("ready");
  await using events = await tapEvents(server.url);
  await using weft = await connect({ servers: server.url });
  const held = weft.submit("hold");
  let begun = 0;
  held.onProgress(() => {
    begun++;
  });
  await waitUntil(() => begun === 1);
  const lines = ["one", "two"];
  const queued = lines.map((line) => weft.submit("mark", { file: join(folder, "marks"), line }));
  await waitUntil(async () => (await held.state()) === "released" && begun === 1);
  await Promise.all(queued.map((handle) => handle.accepted));
  await waitUntil(() => events.text().split('"worker":').length >= 4);
  paused.kill("SIGSTOP");
  await start("worker", file, "--slots", "2").printed("ready");
  await events.told('"why":"silent"');
  await Promise.all(queued.map((handle) => handle.result()));
  paused.kill("SIGCONT");
  await events.told("joined");
  const after = Array.from({ length: 20 }, (_, i) => weft.submit("echo", i));
  await Promise.all(after.map((handle) => handle.result()));
  expect((await marks()).toSorted()).toEqual(lines.toSorted());
  await held.cancel();
  expect(await held.settled()).toMatchObject({ outcome: "cancelled", attempt: 2 });
});

test("a leader that is paused is replaced; when it goes on there are two for a moment, and nothing settles twice", {
  timeout: 90_000,
}, async () => {
  const old = start("coordinator", "--create");
  await old.printed("leads");
  const next = start("coordinator");
  await next.printed("stands by");
  await start("worker", file, "--slots", "4").printed("ready");
  await using weft = await connect({ servers: server.url });
  const held = weft.submit("hold");
  await new Promise<void>((begun) => {
    held.onProgress(() => begun());
  });
  old.kill("SIGSTOP");
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  const submit = (line: string) => weft.submit("mark", { file: join(folder, "marks"), line });
  const handles = lines.slice(0, 20).map(submit);
  const settled = new Map<string, number>();
  await next.printed("leads");
  old.kill("SIGCONT");
  handles.push(...lines.slice(20).map(submit));
  for (const handle of handles) {
    handle.onComplete(() => settled.set(handle.id, (settled.get(handle.id) ?? 0) + 1));
  }
  await old.printed("is deposed and stands by");
  const ends = await Promise.all(handles.map((handle) => handle.settled()));
  expect(ends.every(({ outcome }) => outcome === "succeeded")).toBe(true);
  expect([...settled.values()]).toEqual(Array(40).fill(1));
  expect((await marks()).toSorted()).toEqual(lines.toSorted());
  await held.cancel();
  expect(await held.settled()).toMatchObject({ outcome: "cancelled", attempt: 1 });
});

test("a coordinator that is alone and paused for longer than the lease takes no worker for lost", {
  timeout: 90_000,
}, async () => {
  const only = start("coordinator", "--create");
  await only.printed("leads");
  await start("worker", file, "--slots", "2").printed("ready");
  await using events = await tapEvents(server.url);
  await using weft = await connect({ servers: server.url });
  const held = weft.submit("hold");
  await new Promise<void>((begun) => {
    held.onProgress(() => begun());
  });
  only.kill("SIGSTOP");
  const fromMs = performance.now();
  await waitUntil(() => performance.now() - fromMs > 12_000, { timeoutMs: 20_000 });
  only.kill("SIGCONT");
  expect(await weft.submit("echo", 1).result()).toBe(1);
  await held.cancel();
  expect(await held.settled()).toMatchObject({ outcome: "cancelled", attempt: 1 });
  expect(events.text()).not.toContain("event.worker.lost");
});
