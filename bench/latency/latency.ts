/**
 * The latency of an idle cluster: how long one task takes when nothing else runs, hop by hop, next to the limit of the
 * same messages through the same server.
 */
import { connect } from "@nats-io/transport-node";
import { decodeRecord, Identity, InstanceId, Namespace, Sender, Subjects } from "@weft/protocol";
import { clockStepMs } from "../clock.ts";
import { figureOf, type Ratio, ratioOf } from "../figures.ts";
import type { Result, Setting, Workload } from "../workload.ts";
import { Contender, HOPS, type Hop } from "./contender.ts";
import { RUNS } from "./contract.ts";
import { FinishStamps } from "./finish-stamps.ts";
import { indexOf, LOG_FINISH, STREAM } from "./limit-wire.ts";

/** Tasks before the first round: the code is compiled by then. */
const WARMUP_TASKS = 4_000;
/** Further ones of each other run, whose own code is to be warm as well. */
const WARMUP_OTHERS = 500;

type Rounds = Record<Hop, number[][]>;

export const latency: Workload = {
  name: "latency",
  summary: "submit to result, hand-off, progress and callback of an idle cluster, against the limit",
  defaultCount: 500,
  async run(setting) {
    await using nats = new AsyncDisposableStack();
    const connection = nats.adopt(await connect({ servers: setting.server.url }), (open) => open.close());
    const weft = await startWeft(setting, connection);
    const limit = await startLimit(setting, connection);
    for (const contender of [weft, limit]) await warmUp(setting, contender);
    const ours = noRounds();
    const theirs = noRounds();
    for (let round = 1; round <= setting.amounts.rounds; round++) {
      setting.say(`round ${round} of ${setting.amounts.rounds}`);
      await playRound(setting, round, [
        [weft, ours],
        [limit, theirs],
      ]);
    }
    return resultOf(setting, ours, theirs, Math.max(weft.wallDriftMs, limit.wallDriftMs));
  },
};

type Connection = Awaited<ReturnType<typeof connect>>;

async function startWeft(setting: Setting, nats: Connection): Promise<Contender> {
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
  return Contender.start(setting, {
    name: "weft",
    coordinator: new URL("./weft-coordinator.ts", import.meta.url),
    worker: new URL("./weft-worker.ts", import.meta.url),
    client: new URL("./weft-client.ts", import.meta.url),
    stamps,
  });
}

async function startLimit(setting: Setting, nats: Connection): Promise<Contender> {
  const keysOf = (data: Uint8Array): readonly string[] => [String(indexOf(data))];
  return Contender.start(setting, {
    name: "limit",
    coordinator: new URL("./limit-coordinator.ts", import.meta.url),
    worker: new URL("./limit-worker.ts", import.meta.url),
    client: new URL("./limit-client.ts", import.meta.url),
    stamps: new FinishStamps({ nats, stream: STREAM, subject: LOG_FINISH, keysOf }),
  });
}

async function warmUp({ say }: Setting, contender: Contender): Promise<void> {
  say(`warming up: ${contender.name}`);
  for (const run of RUNS) await contender.measure(run, run === "round_trip" ? WARMUP_TASKS : WARMUP_OTHERS);
}

/** Both take each run right after one another, so that what else the machine does meets both; who is first alternates. */
async function playRound(
  { amounts }: Setting,
  round: number,
  sides: readonly (readonly [Contender, Rounds])[],
): Promise<void> {
  const order = round % 2 === 1 ? sides : sides.toReversed();
  for (const run of RUNS) {
    for (const [contender, rounds] of order) {
      const times = await contender.measure(run, amounts.count);
      for (const hop of HOPS) if (times[hop] !== undefined) rounds[hop].push([...times[hop]]);
    }
  }
}

function noRounds(): Rounds {
  return { submit_to_result: [], handoff: [], progress: [], callback: [] };
}

function resultOf({ amounts }: Setting, ours: Rounds, theirs: Rounds, wallDriftMs: number): Result {
  const figures: Record<string, unknown> = {};
  const ratio: Partial<Record<Hop, Ratio>> = {};
  const rows: string[][] = [];
  for (const hop of HOPS) {
    const weft = figureOf(ours[hop]);
    const limit = figureOf(theirs[hop]);
    const times = ratioOf(ours[hop], theirs[hop]);
    figures[`${hop}_ms`] = weft;
    figures[hop === "submit_to_result" ? "limit_ms" : `${hop}_limit_ms`] = limit;
    ratio[hop] = times;
    const numbers = [weft.p50, weft.p99, limit.p50, limit.p99, times.p50, times.p99];
    rows.push([hop, ...numbers.map((value) => value.toFixed(3)), String(weft.count)]);
  }
  const clock = { source: "process.hrtime", step_ms: clockStepMs(), wall_drift_ms: wallDriftMs };
  return {
    figures: { ...figures, ratio, settings: { ...amounts, warmup_tasks: WARMUP_TASKS }, clock },
    table: {
      head: ["hop", "weft p50", "p99", "limit p50", "p99", "ratio p50", "p99", "count"],
      rows,
    },
    notes: [
      `Milliseconds; medians over ${amounts.rounds} rounds of ${amounts.count}, after ${WARMUP_TASKS} warm-up tasks.`,
    ],
  };
}
