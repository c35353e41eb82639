/**
 * The latency of an idle cluster: how long one task takes when nothing else runs, hop by hop, next to the limit of the
 * same messages through the same server.
 */
import { connect } from "@nats-io/transport-node";
import { decodeRecord, Identity, InstanceId, Namespace, Sender, Subjects } from "@weft/protocol";
import { alternate } from "../alternation.ts";
import { clockStepMs } from "../clock.ts";
import { LIMIT, WEFT } from "../rounds.ts";
import type { Setting, Workload } from "../workload.ts";
import { LatencyContender } from "./contender.ts";
import { RUNS } from "./contract.ts";
import { FinishStamps } from "./finish-stamps.ts";
import { indexOf, LOG_FINISH, STREAM } from "./limit-wire.ts";

/** Tasks before the first round, in rounds: the code is compiled by then, with the default count after 4,000. */
const WARMUP_ROUNDS = 8;

/** The clock is stated to the microsecond and a tenth. */
const DIGITS = 4;

export const latency: Workload = {
  name: "latency",
  summary: "round trip, hand-off, progress and callback of an idle cluster, against the limit",
  headline: "p50",
  defaultCount: 500,
  rivals: [],
  async run(setting) {
    await using nats = new AsyncDisposableStack();
    const connection = nats.adopt(await connect({ servers: setting.server.url }), (open) => open.close());
    const weft = await startWeft(setting, connection);
    const limit = await startLimit(setting, connection);
    const warmUpTasks = WARMUP_ROUNDS * setting.amounts.count;
    const rounds = await alternate(setting, {
      contenders: [weft, limit],
      runs: RUNS,
      // Of the other runs only what is their own is not warm after that.
      warmUpCount: (run) => (run === "round_trip" ? warmUpTasks : setting.amounts.count),
    });
    return {
      rounds,
      settings: {
        warmup_tasks: warmUpTasks,
        clock: "process.hrtime",
        clock_step_ms: Number(clockStepMs().toFixed(DIGITS)),
        wall_drift_ms: Number(Math.max(weft.wallDriftMs, limit.wallDriftMs).toFixed(DIGITS)),
      },
    };
  },
};

type Connection = Awaited<ReturnType<typeof connect>>;

async function startWeft(setting: Setting, nats: Connection): Promise<LatencyContender> {
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
  return LatencyContender.start(setting, {
    name: WEFT,
    coordinator: new URL("./weft-coordinator.ts", import.meta.url),
    worker: new URL("./weft-worker.ts", import.meta.url),
    client: new URL("./weft-client.ts", import.meta.url),
    stamps,
  });
}

async function startLimit(setting: Setting, nats: Connection): Promise<LatencyContender> {
  const keysOf = (data: Uint8Array): readonly string[] => [String(indexOf(data))];
  return LatencyContender.start(setting, {
    name: LIMIT,
    coordinator: new URL("./limit-coordinator.ts", import.meta.url),
    worker: new URL("./limit-worker.ts", import.meta.url),
    client: new URL("./limit-client.ts", import.meta.url),
    stamps: new FinishStamps({ nats, stream: STREAM, subject: LOG_FINISH, keysOf }),
  });
}
