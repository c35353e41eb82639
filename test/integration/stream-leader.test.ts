/** Three NATS nodes: the one that leads the stream is killed under load, and later all of them are restarted. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { type Client, connect } from "@weft/client";
import { Coordinator } from "@weft/coordinator";
import { type NatsCluster, type NatsServer, startNatsCluster, waitUntil } from "@weft/testing";
import { defineTask, Worker } from "@weft/worker";
import { afterEach, beforeEach, expect, test } from "vitest";

const echo = defineTask("echo", (input: unknown) => input);
const hold = defineTask("hold", async (_input: undefined, ctx) => {
  ctx.progress(0.5);
  await new Promise((_, reject) => {
    ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason));
  });
});

let nodes: NatsCluster;
const logs: string[] = [];
const log = (line: string): void => void logs.push(line);
let coordinators: Coordinator[];
let worker: Worker;
let weft: Client;

beforeEach(async () => {
  logs.length = 0;
  nodes = await startNatsCluster(3);
  const servers = nodes.urls;
  coordinators = [await Coordinator.start({ servers, create: { replicas: 3 }, log })];
  await coordinators[0]?.untilLeading();
  coordinators.push(await Coordinator.start({ servers, log }));
  worker = await Worker.start({ servers, tasks: { echo, hold }, slots: 4, log });
  weft = await connect({ servers, onError: () => undefined });
});
afterEach(async () => {
  await weft.close({ timeoutMs: 100 });
  await worker.stop({ graceMs: 0 });
  await Promise.all(coordinators.map((each) => each.stop()));
  await nodes.stop();
});

async function streamLeader(): Promise<NatsServer> {
  const nats = await connectNats({ servers: [...nodes.urls] });
  const { cluster } = await (await jetstreamManager(nats)).streams.info("WEFT_default_0");
  await nats.close();
  const found = nodes.servers.find(({ serverName }) => serverName === cluster?.leader);
  if (found === undefined) throw new Error(`no node is ${cluster?.leader}`);
  return found;
}

const elections = (): number => logs.filter((line) => line.includes("leads from record")).length;

test("what is submitted while the stream changes its leader is settled, the leading coordinator stays, and so does what runs", {
  timeout: 120_000,
}, async () => {
  const held = weft.submit("hold");
  await new Promise<void>((begun) => {
    held.onProgress(() => begun());
  });
  const counts = new Map<number, number>();
  const victim = await streamLeader();
  victim.kill("SIGKILL");
  await victim.exited;
  const handles = Array.from({ length: 200 }, (_, i) => weft.submit<number>("echo", i));
  for (const handle of handles) handle.onComplete((n) => counts.set(n, (counts.get(n) ?? 0) + 1));
  await Promise.all(handles.map((handle) => handle.result()));
  expect(counts.size).toBe(200);
  expect([...counts.values()].every((count) => count === 1)).toBe(true);
  expect(elections()).toBe(1);
  await victim.restart();
  await nodes.waitUntilReady();
  // All at once.
  for (const node of nodes.servers) node.kill("SIGKILL");
  await Promise.all(nodes.servers.map((node) => node.exited));
  const more = Array.from({ length: 200 }, (_, i) => weft.submit<number>("echo", i));
  await Promise.all(nodes.servers.map((node) => node.restart()));
  await Promise.all(more.map((handle) => handle.result()));
  await waitUntil(async () => (await held.state()) === "released");
  await held.cancel();
  expect(await held.settled()).toMatchObject({ outcome: "cancelled", attempt: 1 });
});
