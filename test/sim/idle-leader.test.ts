/**
 * A cluster in which nothing happens, of the product's own code on simulated time: whoever leads stays, and where it dies or freezes the first
 * task waits no longer for the next leader than one of a busy cluster.
 */
import { ControlSecret, Namespace, Subjects } from "@weft/protocol";
import { Dice, SimLoop, SimServer } from "@weft/testing/simulation";
import { expect, test } from "vitest";
import { createSimNamespace } from "./namespace.ts";
import { Parties, type Party } from "./parties.ts";
import { type Plan, planOf } from "./plan.ts";
import type { SimInput } from "./sim-executor.ts";
import { TASK_NAME } from "./workload.ts";

const plan: Plan = {
  ...planOf(new Dice(1)),
  coordinators: 2,
  workers: 1,
  clients: 1,
  slots: 2,
  prefetch: 2,
  replicas: 1,
  messageDelayMsMax: 2,
  isUpgrade: false,
  faults: new Map(),
};
/** Nobody answers for 0.4 s when it is asked at 0.6 s; each question, and each message, takes its time. */
const GONE_MAX_MS = 1_250;
/** 2 s of silence, what candidates are spread by, and the election. */
const FROZEN_MAX_MS = 2_400;
const START_MS = 5_000;

class Run {
  readonly loop = new SimLoop();
  readonly wrong: string[] = [];
  elections = 0;
  /** When the leader wrote to the log. */
  readonly ticks: number[] = [];
  private readonly parties: Parties;

  constructor(seed: number) {
    const { loop, wrong } = this;
    const dice = new Dice(seed);
    const server = new SimServer(loop, dice.fork(), plan);
    const subjects = new Subjects(Namespace.parse("sim"));
    const secret = ControlSecret.parse("secret");
    const config = createSimNamespace(server, { subjects, secret, purgeAgeMs: 60_000, logBytesMax: 0 });
    server.onStored(subjects.stream(0), ({ subject }) => {
      if (subject === subjects.control(0, secret)) this.ticks.push(loop.nowMs);
    });
    this.parties = new Parties({
      loop,
      dice: dice.fork(),
      plan,
      subjects,
      config,
      connect: (process, identity, instance) => server.connect(process, identity, instance),
      witness: { began: () => undefined, ended: () => undefined },
      note: (line) => {
        if (line.includes("leads from record")) this.elections++;
      },
      onFailed: (party, error) => void wrong.push(`${party.title} ended: ${error.message}`),
    });
    for (let i = 1; i <= plan.coordinators; i++) this.parties.start("coordinator", i);
    this.parties.start("worker", 1);
    this.parties.start("client", 1);
  }

  async play(ms: number, isDone?: () => boolean): Promise<void> {
    await this.loop.play(this.loop.nowMs + ms, isDone);
  }

  leader(): Party {
    const leading = this.parties.all("coordinator").filter(({ coordinator }) => coordinator?.leading);
    const [leader] = leading;
    if (leader === undefined || leading.length > 1) throw new Error(`${leading.length} coordinators lead`);
    return leader;
  }

  /** Submits a task; resolves with how long it took to settle. */
  async takeMs(runsMs = 0): Promise<number> {
    const input: SimInput = { takeMs: runsMs, failBelow: 1, add: 1, heeds: true };
    const fromMs = this.loop.nowMs;
    const handle = this.parties.all("client")[0]?.client?.submit<number>(TASK_NAME, input);
    let settledMs: number | null = null;
    handle?.settled().then(
      () => {
        settledMs = this.loop.nowMs;
      },
      () => undefined,
    );
    await this.play(30_000, () => settledMs !== null);
    return (settledMs ?? Number.POSITIVE_INFINITY) - fromMs;
  }
}

const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

test("the leader of an idle cluster stays, and what comes now and then settles at once", async () => {
  const run = new Run(1);
  await run.play(START_MS);
  for (let i = 0; i < 100; i++) {
    expect(await run.takeMs()).toBeLessThan(50);
    await run.play(1_000 + 37 * i);
  }
  await run.play(600_000);
  expect({ elections: run.elections, wrong: run.wrong }).toEqual({ elections: 1, wrong: [] });
});

test("a leader ticks each second while nothing lives, and each half second from the first task on until the last is over", async () => {
  for (const seed of seeds) {
    const run = new Run(seed);
    await run.play(START_MS + new Dice(seed).below(1_000));
    const gapsBetween = (fromMs: number, toMs: number): readonly number[] => {
      const ticks = run.ticks.filter((at) => at >= fromMs && at <= toMs);
      return ticks.slice(1).map((at, i) => at - (ticks[i] ?? 0));
    };
    await run.play(10_000);
    for (const gap of gapsBetween(START_MS, run.loop.nowMs)) expect(gap).toBeGreaterThan(900);
    const fromMs = run.loop.nowMs;
    await run.takeMs(5_000);
    const toMs = run.loop.nowMs;
    const [first = Number.POSITIVE_INFINITY] = run.ticks.filter((at) => at >= fromMs);
    expect(first - fromMs).toBeLessThan(520);
    for (const gap of gapsBetween(fromMs, toMs)) expect(gap).toBeLessThan(600);
  }
});

test.each([
  ["dies", GONE_MAX_MS],
  ["freezes", FROZEN_MAX_MS],
])(
  "where the leader of an idle cluster %s the first task waits as long as one of a busy cluster, whenever it comes",
  async (fault, mostMs) => {
    for (const seed of seeds) {
      const run = new Run(seed);
      const dice = new Dice(seed);
      await run.play(START_MS + dice.below(1_000));
      const { process } = run.leader();
      if (fault === "dies") process.kill();
      else process.freeze(60_000);
      await run.play(dice.below(4_000));
      expect(await run.takeMs(), `seed ${seed}`).toBeLessThan(mostMs);
      expect(run.wrong).toEqual([]);
    }
  },
);
