/** One run: load, faults, healing, and the account. */
import { performance } from "node:perf_hooks";
import { Dice } from "@weft/testing/simulation";
import type { Balance } from "./account.ts";
import { type Arena, closeArena, openArena } from "./arena.ts";
import { type LoadSize, shareOf } from "./facts.ts";
import { pause, probe } from "./fault.ts";
import { statesOf, tellWhy } from "./inquest.ts";
import { MachineLoad } from "./machine-load.ts";
import type { Spread } from "./measures.ts";
import type { Network } from "./network.ts";
import { planOf, type Step } from "./plan.ts";
import { untilPrompt } from "./until-prompt.ts";
import { failingsOf } from "./verdict.ts";

export type FaultRunOptions = {
  readonly network: Network;
  /** NATS nodes: 1, or 3. */
  readonly nodes: number;
  readonly seed: number;
  /** Kinds of faults to draw from; null for all. */
  readonly only: readonly string[] | null;
  /** Each fault waits until the one before has healed, and the cluster is calm again. */
  readonly apart: boolean;
  readonly load: LoadSize;
  readonly tell: (line: string) => void;
};

export type FaultResult = Balance & {
  readonly seed: number;
  readonly passed: boolean;
  readonly failings: readonly string[];
  readonly seconds: number;
  /** Over all that time, standstills among it. */
  readonly settled_per_second: number;
  /** Of all cores of the machine, whoever kept them busy. */
  readonly machine_busy_share: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly faults_total: number;
  readonly failovers: number;
  readonly elections: number;
  /** Parties that ended though nobody ended them, and were started again. */
  readonly deaths: number;
  /** Parties that had to be killed, as they did not end on SIGTERM. */
  readonly not_stopped: number;
  readonly not_measured: number;
  /** The longest time in which no task settled while there was load. */
  readonly longest_standstill_ms: number;
  /** Of one core, that the run itself took of the machine. */
  readonly harness_cpu_share: number;
  readonly [spread: `${string}_ms`]: Spread | number | null;
};

/** While tasks settle the healing goes on; without, it is over after so long. */
const STILL_MAX_MS = 90_000;
const HEAL_MAX_MS = 300_000;
/** A fault whose healing takes longer does not hold up the next ones. */
const WAIT_MAX_MS = 30_000;
const AUDIT_EVERY_MS = 1_000;
const AUDITED_COUNT = 5;
const PLAIN_TASK_EVERY_MS = 500;
const LOOK_MS = 100;

export class FaultRun {
  private readonly options: FaultRunOptions;
  private readonly arena: Arena;
  private readonly plan: Generator<Step, never>;
  private readonly struck: Record<string, number> = {};
  private readonly healing = new Set<Promise<void>>();
  private audit: NodeJS.Timeout | null = null;
  private longestStandstillMs = 0;
  private settledCount = 0;
  private settledAtMs = 0;

  static async start(options: FaultRunOptions): Promise<FaultRun> {
    const dice = new Dice(options.seed);
    const { network, nodes, tell } = options;
    tell(`seed ${options.seed}, ${nodes} NATS ${nodes === 1 ? "node" : "nodes"}, ${network.title}`);
    const arena = await openArena({ network, nodes, dice: dice.fork(), tell });
    return new FaultRun(options, arena, dice.fork());
  }

  private constructor(options: FaultRunOptions, arena: Arena, dice: Dice) {
    this.options = options;
    this.arena = arena;
    this.plan = planOf(dice, options);
  }

  /** Strikes for so long, then lets everything heal. */
  async play(forMs: number): Promise<FaultResult> {
    const { arena } = this;
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    const machine = new MachineLoad();
    for (const client of arena.clients) client.load(shareOf(this.options.load, arena.clients.length));
    this.settledAtMs = startedMs;
    this.audit = setInterval(() => this.auditSome(), AUDIT_EVERY_MS);
    const plain = setInterval(() => this.measurePlainTask(), PLAIN_TASK_EVERY_MS);
    const progress = setInterval(() => this.watchProgress(), LOOK_MS);
    const endMs = startedMs + forMs;
    while (performance.now() < endMs) await this.strike(endMs);
    const seconds = (performance.now() - startedMs) / 1_000;
    const busyShare = machine.busyShare();
    this.watchProgress();
    const settledPerSecond = this.settledCount / seconds;
    clearInterval(progress);
    clearInterval(plain);
    for (const client of arena.clients) client.stop();
    await this.heal();
    const { user, system } = process.cpuUsage(cpu);
    const harness = (user + system) / 1_000 / (performance.now() - startedMs);
    const balance = arena.account.balance(await statesOf(arena));
    const failings = failingsOf(balance, this.longestStandstillMs);
    if (failings.includes("hung_handles")) await tellWhy(arena);
    return {
      seed: this.options.seed,
      passed: failings.length === 0,
      failings,
      ...balance,
      seconds: Math.round(seconds),
      settled_per_second: Math.round(settledPerSecond),
      machine_busy_share: Number(busyShare.toFixed(2)),
      faults: this.struck,
      faults_total: Object.values(this.struck).reduce((sum, count) => sum + count, 0),
      failovers: arena.measures.count("failover"),
      elections: arena.observer.elections,
      deaths: arena.deaths.length,
      not_stopped: arena.stubborn.length,
      not_measured: arena.measures.missed,
      longest_standstill_ms: Math.round(this.longestStandstillMs),
      harness_cpu_share: Number(harness.toFixed(2)),
      ...arena.measures.spreads(),
    };
  }

  async stop(): Promise<void> {
    if (this.audit !== null) clearInterval(this.audit);
    await closeArena(this.arena);
  }

  private async strike(endMs: number): Promise<void> {
    const { fault, afterMs, waits } = this.plan.next().value;
    await pause(Math.min(afterMs, Math.max(0, endMs - performance.now())));
    if (this.options.apart) {
      await untilPrompt(this.arena, endMs);
      if (performance.now() >= endMs) return;
    }
    const strike = await fault.strike(this.arena);
    if (strike === null) return;
    const { tell } = this.arena;
    tell(strike.what);
    this.struck[fault.name] = (this.struck[fault.name] ?? 0) + 1;
    const healed = strike.healed.catch((error: unknown) => tell(`${strike.what}: ${String(error)}`));
    this.healing.add(healed);
    void healed.then(() => this.healing.delete(healed));
    if (waits) await Promise.race([healed, pause(WAIT_MAX_MS)]);
  }

  private watchProgress(): void {
    const nowMs = performance.now();
    const { settledCount } = this.arena.account;
    if (settledCount !== this.settledCount) this.settledAtMs = nowMs;
    this.settledCount = settledCount;
    this.longestStandstillMs = Math.max(this.longestStandstillMs, nowMs - this.settledAtMs);
  }

  private measurePlainTask(): void {
    const { arena } = this;
    const isBroken = (): boolean => arena.calm.brokenTitles.length > 0;
    if (isBroken()) return;
    const submittedMs = performance.now();
    probe(arena).then(
      ({ toldAtMs }) => {
        if (!isBroken()) arena.measures.note("task", toldAtMs - submittedMs, true);
      },
      () => undefined,
    );
  }

  /** Until everything has settled, or nothing does any more. */
  private async heal(): Promise<void> {
    const { account, tell } = this.arena;
    tell("healing");
    const endMs = performance.now() + HEAL_MAX_MS;
    await Promise.race([Promise.all(this.healing), pause(HEAL_MAX_MS)]);
    let settled = account.settledCount;
    let movedMs = performance.now();
    while (account.openCount > 0) {
      const nowMs = performance.now();
      if (account.settledCount !== settled) {
        settled = account.settledCount;
        movedMs = nowMs;
      }
      if (nowMs > endMs || nowMs - movedMs > STILL_MAX_MS) return;
      await pause(LOOK_MS);
    }
  }

  /** Asks about some that have settled through another client: it must be told the same. */
  private auditSome(): void {
    const { account, prober } = this.arena;
    for (const id of account.someSettled(AUDITED_COUNT)) {
      const handle = prober.handle(id);
      handle.settled().then(
        ({ outcome, value, error }) => {
          const told =
            error === undefined ? { value } : { error: error.name, message: `${outcome}: ${error.message}` };
          account.note("prober", ["told", id, told, 1]);
        },
        () => undefined,
      );
    }
  }
}
