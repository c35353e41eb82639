/** One of those that take turns: its processes, and for those whose log is in JetStream what that says of it. */
import type { Contender } from "../alternation.ts";
import type { Child } from "../child.ts";
import { wallOffsetMs } from "../clock.ts";
import { percentile } from "../figures.ts";
import type { Sample } from "../rounds.ts";
import {
  type ClientContract,
  type ClientSight,
  RUNS,
  type Run,
  type WorkerContract,
  type WorkerMoment,
  type WorkerSight,
} from "./contract.ts";
import type { FinishStamps } from "./finish-stamps.ts";

/** A task takes several, each from one process to another. */
type Hop = Run | "callback";
type Times = Partial<Record<Hop, readonly number[]>>;

export type LatencyOptions = {
  readonly name: string;
  readonly runs?: readonly Run[];
  readonly client: Child<ClientContract>;
  /** Null where no run asks what it saw. */
  readonly worker: Child<WorkerContract> | null;
  /** Null where no log says when it had an outcome. */
  readonly stamps: FinishStamps | null;
};

export class LatencyContender implements Contender<Run> {
  readonly name: string;
  readonly runs: readonly Run[];
  /** The largest change of the wall clock against the monotonic one during a run. */
  wallDriftMs = 0;
  private readonly client: Child<ClientContract>;
  private readonly worker: Child<WorkerContract> | null;
  private readonly stamps: FinishStamps | null;
  private next = 0;

  constructor({ name, runs = RUNS, client, worker, stamps }: LatencyOptions) {
    this.name = name;
    this.runs = runs;
    this.client = client;
    this.worker = worker;
    this.stamps = stamps;
  }

  /** Milliseconds, hop by hop. */
  async take(run: Run, count: number): Promise<Record<string, Sample>> {
    const times = await this.run(run, count);
    return Object.fromEntries(
      Object.entries(times).map(([hop, values]) => {
        if (values.length === count && values.every(Number.isFinite))
          return [hop, { p50: percentile(values, 0.5), p99: percentile(values, 0.99) }];
        throw new Error(`${this.name}: of ${count} times of ${hop}, some were not seen at both ends`);
      }),
    );
  }

  private async run(run: Run, count: number): Promise<Times> {
    const offsetMs = wallOffsetMs();
    const order = { run, first: this.next, count };
    this.next += count;
    const seen = await this.client.ask("run", order);
    const there = (await this.worker?.ask("take")) ?? [];
    if (run === "handoff") return { handoff: handoffs(there) };
    if (run === "progress") return { progress: reports(there, seen) };
    const roundTrip = seen.map(({ submittedMs, resultMs }) => resultMs - submittedMs);
    if (this.stamps === null) return { round_trip: roundTrip };
    this.wallDriftMs = Math.max(this.wallDriftMs, Math.abs(wallOffsetMs() - offsetMs));
    const stamps = await this.stamps.take();
    return {
      round_trip: roundTrip,
      callback: seen.map(
        ({ key, completedMs }) => completedMs - ((stamps.get(key) ?? Number.NaN) - offsetMs),
      ),
    };
  }
}

function handoffs(there: readonly WorkerSight[]): number[] {
  const ended = timesOf(there, "first_ended");
  return [...timesOf(there, "second_started")].map(
    ([index, startedMs]) => startedMs - (ended.get(index) ?? Number.NaN),
  );
}

function reports(there: readonly WorkerSight[], seen: readonly ClientSight[]): number[] {
  const reported = timesOf(there, "reported");
  return seen.map(
    ({ index, progressMs }) => (progressMs ?? Number.NaN) - (reported.get(index) ?? Number.NaN),
  );
}

function timesOf(there: readonly WorkerSight[], moment: WorkerMoment): ReadonlyMap<number, number> {
  return new Map(there.filter((each) => each.moment === moment).map(({ index, atMs }) => [index, atMs]));
}
