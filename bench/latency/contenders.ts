/** Those that take turns: Weft, the limit, and the rivals. */
import type { connect } from "@nats-io/transport-node";
import { decodeRecord, Identity, InstanceId, Namespace, Sender, Subjects } from "@weft/protocol";
import type { Rival } from "../rivals/rivals.ts";
import { LIMIT, WEFT } from "../rounds.ts";
import type { Setting } from "../workload.ts";
import { LatencyContender } from "./contender.ts";
import type { ClientContract, Run, WorkerContract } from "./contract.ts";
import { FinishStamps } from "./finish-stamps.ts";
import { indexOf, LOG_FINISH, STREAM } from "./limit-wire.ts";

type Connection = Awaited<ReturnType<typeof connect>>;

export async function startWeft(setting: Setting, nats: Connection): Promise<LatencyContender> {
  const subjects = new Subjects(Namespace.parse("default"));
  const anybody = Sender.of(Identity.parse("any"), InstanceId.parse("any"));
  const stamps = new FinishStamps({
    nats,
    stream: subjects.stream(0),
    subject: subjects.log(0, "finish", anybody).replace(anybody, ">"),
    keysOf(data) {
      const record = decodeRecord("finish", data);
      return record.ok && record.value.type === "finish" ? record.value.finishes.map(({ id }) => id) : [];
    },
  });
  await setting.startChild(new URL("./weft-coordinator.ts", import.meta.url));
  const worker = await setting.startChild<WorkerContract>(new URL("./weft-worker.ts", import.meta.url));
  const client = await setting.startChild<ClientContract>(new URL("./weft-client.ts", import.meta.url));
  return new LatencyContender({ name: WEFT, client, worker, stamps });
}

export async function startLimit(setting: Setting, nats: Connection): Promise<LatencyContender> {
  const keysOf = (data: Uint8Array): readonly string[] => [String(indexOf(data))];
  const stamps = new FinishStamps({ nats, stream: STREAM, subject: LOG_FINISH, keysOf });
  await setting.startChild(new URL("./limit-coordinator.ts", import.meta.url));
  const worker = await setting.startChild<WorkerContract>(new URL("./limit-worker.ts", import.meta.url));
  const client = await setting.startChild<ClientContract>(new URL("./limit-client.ts", import.meta.url));
  return new LatencyContender({ name: LIMIT, client, worker, stamps });
}

/** Those that have nothing like the other hops. */
const ROUND_TRIP: readonly Run[] = ["round_trip"];

const workers = {
  "graphile-worker": new URL("../throughput/graphile-runner.ts", import.meta.url),
  "pg-boss": new URL("../throughput/pg-boss-worker.ts", import.meta.url),
} as const;

export async function startRival(setting: Setting, rival: Rival): Promise<LatencyContender> {
  const { url } = await setting.rivalServer(rival);
  if (rival === "bullmq") {
    const worker = await setting.startChild<WorkerContract>(
      new URL("./bullmq-worker.ts", import.meta.url),
      url,
    );
    const client = await setting.startChild<ClientContract>(
      new URL("./bullmq-client.ts", import.meta.url),
      url,
    );
    return new LatencyContender({ name: rival, client, worker, stamps: null });
  }
  await setting.startChild(workers[rival], url);
  const entry = new URL("./postgres-client.ts", import.meta.url);
  const client = await setting.startChild<ClientContract>(entry, url, rival);
  return new LatencyContender({ name: rival, runs: ROUND_TRIP, client, worker: null, stamps: null });
}
