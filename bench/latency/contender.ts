/** One of the two that take turns: Weft, or the limit. Three processes, and the log that they write. */
import type { Child } from "../child.ts";
import { wallOffsetMs } from "../clock.ts";
import type { Setting } from "../workload.ts";
import type {
  ClientContract,
  ClientSight,
  Run,
  WorkerContract,
  WorkerMoment,
  WorkerSight,
} from "./contract.ts";
import type { FinishStamps } from "./finish-stamps.ts";

export const HOPS = ["submit_to_result", "handoff", "progress", "callback"] as const;
export type Hop = (typeof HOPS)[number];
export type Times = Partial<Record<Hop, readonly number[]>>;

export type ContenderOptions = {
  readonly name: string;
  readonly coordinator: URL;
  readonly worker: URL;
  readonly client: URL;
  readonly stamps: FinishStamps;
};

export class Contender {
  readonly name: string;
  /** The largest change of the wall clock against the monotonic one during a run. */
  wallDriftMs = 0;
  private readonly client: Child<ClientContract>;
  private readonly worker: Child<WorkerContract>;
  private readonly stamps: FinishStamps;
  private next = 0;

  static async start(setting: Setting, options: ContenderOptions): Promise<Contender> {
    await setting.startChild(options.coordinator);
    const worker = await setting.startChild<WorkerContract>(options.worker);
    const client = await setting.startChild<ClientContract>(options.client);
    return new Contender(options, worker, client);
  }

  private constructor(
    { name, stamps }: ContenderOptions,
    worker: Child<WorkerContract>,
    client: Child<ClientContract>,
  ) {
    this.name = name;
    this.stamps = stamps;
    this.worker = worker;
    this.client = client;
  }

  /** The times that a run of so many tasks took, hop by hop. */
  async measure(run: Run, count: number): Promise<Times> {
    const times = await this.run(run, count);
    for (const [hop, values] of Object.entries(times)) {
      if (values.length === count && values.every(Number.isFinite)) continue;
      throw new Error(`${this.name}: of ${count} times of ${hop}, some were not seen at both ends`);
    }
    return times;
  }

  private async run(run: Run, count: number): Promise<Times> {
    const offsetMs = wallOffsetMs();
    const order = { run, first: this.next, count };
    this.next += count;
    const seen = await this.client.ask("run", order);
    const there = await this.worker.ask("take");
    if (run === "handoff") return { handoff: handoffs(there) };
    if (run === "progress") return { progress: reports(there, seen) };
    this.wallDriftMs = Math.max(this.wallDriftMs, Math.abs(wallOffsetMs() - offsetMs));
    const stamps = await this.stamps.take();
    return {
      submit_to_result: seen.map(({ submittedMs, resultMs }) => resultMs - submittedMs),
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
