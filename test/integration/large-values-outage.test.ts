/** Three NATS nodes: the one that leads the large values is killed while one is stored. */
import { createHash, randomBytes } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { type Client, connect } from "@weft/client";
import { Coordinator } from "@weft/coordinator";
import { type NatsCluster, type NatsServer, startNatsCluster, waitUntil } from "@weft/testing";
import { defineTask, Worker } from "@weft/worker";
import { afterEach, beforeEach, expect, test } from "vitest";

const STREAM = "WEFT_default_0_blobs";
const echo = defineTask("echo", (input: unknown) => input);

let nodes: NatsCluster;
let coordinator: Coordinator;
let worker: Worker;
let weft: Client;

beforeEach(async () => {
  nodes = await startNatsCluster(3);
  const servers = nodes.urls;
  coordinator = await Coordinator.start({ servers, create: { replicas: 3 } });
  await coordinator.untilLeading();
  worker = await Worker.start({ servers, tasks: { echo }, slots: 2 });
  weft = await connect({ servers, onError: () => undefined });
});
afterEach(async () => {
  await weft.close({ timeoutMs: 100 });
  await worker.stop({ graceMs: 0 });
  await coordinator.stop();
  await nodes.stop();
});

/** How many chunks are stored, and the node that leads their stream. */
async function look(): Promise<{ readonly chunks: number; readonly leader: NatsServer | undefined }> {
  const nats = await connectNats({ servers: [...nodes.urls] });
  try {
    const { cluster, state } = await (await jetstreamManager(nats)).streams.info(STREAM);
    const leader = nodes.servers.find(({ serverName }) => serverName === cluster?.leader);
    return { chunks: state.messages, leader };
  } finally {
    await nats.close();
  }
}

test("a large value is stored and read whole although the node that leads them is killed meanwhile", {
  timeout: 120_000,
}, async () => {
  const bytes = Uint8Array.from(randomBytes(60_000_000));
  const made = weft.submit<Uint8Array>("echo", bytes);
  const { leader } = await waitUntil(async () => {
    const seen = await look();
    return seen.chunks > 5 ? seen : null;
  });
  leader?.kill("SIGKILL");
  await leader?.exited;
  const result = await made.result();
  expect(createHash("sha256").update(result).digest("hex")).toBe(
    createHash("sha256").update(bytes).digest("hex"),
  );
  expect(await made.settled()).toMatchObject({ attempt: 1, tries: 1 });
});
