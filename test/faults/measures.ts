/** How long things took: each figure with only its own fault about, and apart from them those taken amid others. */

export type Spread = {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
};

/** What is measured, in milliseconds. */
const MEASURES = [
  /** A task with nothing broken, from its submit until it has its result: what of the figures below is the load's. */
  "task",
  /** From the kill of the leader until a task that was submitted after it has its result. */
  "failover",
  /** From SIGTERM to the leader until another tells that it leads. */
  "handover",
  /** From SIGTERM to the leader until a task that was submitted to the next one has its result. */
  "handover_dispatch",
  /** From SIGTERM to the leader until its process has ended. */
  "leader_stop",
  /** From the start of a coordinator's process until it stands by, with the whole log behind it. */
  "coordinator_start",
  /** From the kill of a worker until the leader says that it is lost. */
  "worker_loss_detect",
  /** From the cancel of code in a thread that heeds nothing until its task has ended. */
  "cancel_cpu",
  /** From the kill of a NATS node until a task that was submitted after it has its result. */
  "node_kill_recovery",
  /** From the moment that the last node is there again until a task has its result. */
  "nats_restart_recovery",
  /** From the kill of a client until another has been told of all that it had left open. */
  "client_takeover",
  /** A failover in its parts: until another stands, until it leads, until the task begins, until its result is told. */
  "failover_stand",
  "failover_election",
  "failover_begin",
  "failover_result",
  /** A hand-over in its parts: until the leader has said so, and then as above. */
  "handover_resign",
  "handover_stand",
  "handover_election",
  "handover_begin",
  "handover_result",
] as const;

export type Measure = (typeof MEASURES)[number];

const MEASURE_MAX_MS = 90_000;

export class Measures {
  private readonly calm = new Map<Measure, number[]>();
  private readonly amid = new Map<Measure, number[]>();
  private readonly tell: (line: string) => void;
  /** Measurements that did not end. */
  missed = 0;

  constructor(tell: (line: string) => void) {
    this.tell = tell;
  }

  /** Resolves when it has been taken, or has taken too long. `isCalm` is asked at its end. */
  async take(what: Measure, isCalm: () => boolean, end: Promise<unknown>): Promise<void> {
    const startedMs = performance.now();
    await this.takeSince(what, startedMs, isCalm, end);
  }

  async takeSince(
    what: Measure,
    startedMs: number,
    isCalm: () => boolean,
    end: Promise<unknown>,
  ): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not after ${MEASURE_MAX_MS} ms`)), MEASURE_MAX_MS);
    });
    try {
      const at = await Promise.race([end, late]);
      const ms = (typeof at === "number" ? at : performance.now()) - startedMs;
      this.add(what, ms, isCalm());
    } catch (error) {
      this.missed++;
      this.tell(`${what} was not measured: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Takes down what has been measured, without a word. */
  note(what: Measure, ms: number, calm: boolean): void {
    const all = calm ? this.calm : this.amid;
    all.set(what, [...(all.get(what) ?? []), ms]);
  }

  add(what: Measure, ms: number, calm: boolean): void {
    this.note(what, ms, calm);
    this.tell(`${what}: ${Math.round(ms)} ms${calm ? "" : ", amid other faults"}`);
  }

  count(what: Measure): number {
    return (this.calm.get(what)?.length ?? 0) + (this.amid.get(what)?.length ?? 0);
  }

  /** `NAME_ms` for what only its own fault was about, `NAME_amid_faults_ms` for the others; null where there is none. */
  spreads(): Readonly<Record<string, Spread | null>> {
    return Object.fromEntries(
      MEASURES.flatMap((what) => [
        [`${what}_ms`, spreadOf(this.calm.get(what) ?? [])],
        [`${what}_amid_faults_ms`, spreadOf(this.amid.get(what) ?? [])],
      ]),
    );
  }
}

function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1), count: values.length };
}
