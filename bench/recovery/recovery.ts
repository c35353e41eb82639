/**
 * How long nobody dispatches where there are live tasks: after a cold start from a checkpoint, and after the leader was
 * killed beside a standby.
 */
import type { Child } from "../child.ts";
import { monotonicMs } from "../clock.ts";
import { Rounds, type Sample, type Shapes, WEFT } from "../rounds.ts";
import type { Setting, Workload } from "../workload.ts";
import type { FillerContract, FirstRunContract, ProbeContract, RecoveredContract } from "./contract.ts";

const SIZES = [10_000, 100_000, 1_000_000];

export const recovery: Workload = {
  name: "recovery",
  summary: "until tasks are dispatched again: after a cold start, and after a leader was killed",
  headline: "dispatchingMs",
  defaultCount: 1_000_000,
  rivals: [],
  async run(setting) {
    const rounds = new Rounds();
    const sizes = SIZES.filter((size) => size <= setting.amounts.count);
    if (sizes.length === 0) sizes.push(setting.amounts.count);
    for (const size of sizes) rounds.add(WEFT, await recover(setting, size));
    return { rounds, settings: { rounds: 1 } };
  },
};

async function recover(setting: Setting, tasks: number): Promise<Shapes<Sample>> {
  const namespace = `recovery-${tasks}`;
  setting.say(`${tasks} tasks: filling the log`);
  const filler = await setting.startChild<FillerContract>(new URL("./filler.ts", import.meta.url));
  const filled = await filler.ask("fill", { namespace, tasks });
  await filler.stop();
  setting.say(`${tasks} tasks: starting cold`);
  const { url } = setting.server;
  const worker = await setting.startChild<FirstRunContract>(
    new URL("./first-run.ts", import.meta.url),
    url,
    namespace,
  );
  const leader = await setting.startChild<RecoveredContract>(
    new URL("./recovered.ts", import.meta.url),
    url,
    namespace,
  );
  const firstRunMs = await worker.ask("firstRunMs");
  const { startedMs, standingByMs, leadingMs, cpuMs, heapBytes } = await leader.ask("times");
  await worker.stop();
  const coldStart = {
    standingByMs: standingByMs - startedMs,
    leadingMs: leadingMs - startedMs,
    dispatchingMs: firstRunMs - startedMs,
    cpuMs,
    heapBytesPerTask: heapBytes / tasks,
    checkpointBytesPerTask: filled.checkpointBytes / tasks,
    checkpointMs: filled.checkpointMs,
    heldMs: filled.heldMs,
    logBytesPerTask: filled.logBytes / tasks,
  };
  setting.say(`${tasks} tasks: killing the leader`);
  const leaderKill = { dispatchingMs: await killLeader(setting, namespace, leader) };
  return { [`cold_start_${tasks}`]: coldStart, [`leader_kill_${tasks}`]: leaderKill };
}

/** From the kill until the standby has given a task to a worker. */
async function killLeader(
  setting: Setting,
  namespace: string,
  leader: Child<RecoveredContract>,
): Promise<number> {
  const { url } = setting.server;
  const standby = await setting.startChild(new URL("./standby.ts", import.meta.url), url, namespace);
  const probe = await setting.startChild<ProbeContract>(
    new URL("./probe.ts", import.meta.url),
    url,
    namespace,
  );
  // While there is a leader, so that everybody knows everybody.
  await probe.ask("beganMs");
  const killedMs = monotonicMs();
  await leader.kill();
  const beganMs = await probe.ask("beganMs");
  await probe.stop();
  await standby.stop();
  return beganMs - killedMs;
}
