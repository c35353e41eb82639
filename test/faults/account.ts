/**
 * What became of every task of a fault run: the account that must balance in the end. It does no I/O, so that tests can
 * show that it finds what it is there to find.
 */
import type { Expected, Fact, Told } from "./facts.ts";

export type Balance = {
  readonly acknowledged: number;
  readonly settled: number;
  /** Acknowledged, and unknown to the cluster. */
  readonly lost: number;
  /** Told to one handle more than once, or differently to two. */
  readonly double_outcomes: number;
  /** Acknowledged, known, and without an outcome in the end. */
  readonly hung_handles: number;
  /** Another value than the right one, an error where there should be none, or other than what `cancel()` answered. */
  readonly wrong_results: number;
  /** Refused as the log was full, after the acknowledgement: told so, and not run. */
  readonly rejected: number;
  readonly cancelled: number;
  /** Given up by their client before the log had them. */
  readonly refused: number;
  /** Outcomes that a second client was told as well. */
  readonly told_again: number;
};

export const FAILINGS = ["lost", "double_outcomes", "hung_handles", "wrong_results"] as const;

export type OpenTask = { readonly id: string; readonly source: string };

type Open = { source: string; readonly expected: Expected; answer: string | null };
type Settled = { readonly source: string; readonly outcome: string };

const TOLD_MAX = 20;
/** Among so many settled last, a second outcome of another client is recognised. */
const REMEMBERED_MAX = 200_000;

export class Account {
  private readonly open = new Map<string, Open>();
  private readonly remembered = new Map<string, Settled>();
  private readonly tell: (line: string) => void;
  private toldCount = 0;
  private readonly counts = {
    acknowledged: 0,
    settled: 0,
    lost: 0,
    double_outcomes: 0,
    wrong_results: 0,
    rejected: 0,
    cancelled: 0,
    refused: 0,
    told_again: 0,
  };

  constructor(tell: (line: string) => void) {
    this.tell = tell;
  }

  get openCount(): number {
    return this.open.size;
  }

  get settledCount(): number {
    return this.counts.settled;
  }

  note(source: string, fact: Fact): void {
    switch (fact[0]) {
      case "accepted":
        return this.accepted(source, fact[1], fact[2]);
      case "refused":
        this.counts.refused++;
        return;
      case "told":
        return this.told(source, fact[1], fact[2], fact[3]);
      case "answered":
        return this.answered(fact[1], fact[2]);
    }
  }

  openTasks(): readonly OpenTask[] {
    return [...this.open].map(([id, { source }]) => ({ id, source }));
  }

  /** Whoever has taken the tasks of a client that is gone is the one to tell their outcomes. */
  handOver(from: string, to: string): readonly string[] {
    const ids: string[] = [];
    for (const [id, open] of this.open) {
      if (open.source !== from) continue;
      open.source = to;
      ids.push(id);
    }
    return ids;
  }

  /** The tasks that settled last, for whoever wants to ask about them again. */
  someSettled(count: number): readonly string[] {
    return [...this.remembered.keys()].slice(-count);
  }

  /** `states` has what the cluster says of every task that is open; what has no entry did not answer. */
  balance(states: ReadonlyMap<string, string>): Balance {
    let hung = 0;
    let unknown = 0;
    for (const [id, { source }] of this.open) {
      const state = states.get(id) ?? "not told";
      this.say(`task ${id} of ${source} has not settled: ${state}`);
      if (state === "unknown") unknown++;
      else hung++;
    }
    return { ...this.counts, lost: this.counts.lost + unknown, hung_handles: hung };
  }

  private accepted(source: string, id: string, expected: Expected): void {
    this.counts.acknowledged++;
    this.open.set(id, { source, expected, answer: null });
  }

  private told(source: string, id: string, told: Told, times: number): void {
    const outcome = outcomeOf(told);
    const open = this.open.get(id);
    if (times > 1) return this.double(id, `told ${outcome} as the ${times}. outcome of one handle`);
    if (open === undefined) return this.toldAgain(source, id, outcome);
    this.open.delete(id);
    this.counts.settled++;
    this.remember(id, { source, outcome });
    this.judge(id, open, told, outcome);
  }

  private toldAgain(source: string, id: string, outcome: string): void {
    const known = this.remembered.get(id);
    if (known === undefined) return;
    if (known.outcome !== outcome) this.double(id, `${known.outcome}, and ${outcome} to ${source}`);
    else if (known.source === source) this.double(id, `${outcome} twice to ${source}`);
    else this.counts.told_again++;
  }

  private judge(id: string, { expected, answer }: Open, told: Told, outcome: string): void {
    if (answer !== null && answer !== kindOf(outcome))
      this.wrong(id, `cancel answered ${answer}: ${outcome}`);
    if ("error" in told) {
      if (told.error === "UnknownTaskError") {
        this.counts.lost++;
        return this.say(`task ${id} is lost: ${told.message}`);
      }
      if (isForWantOfRoom(told)) {
        this.counts.rejected++;
        return;
      }
      if (told.error === "TaskCancelledError" && "mayBeCancelled" in expected) {
        this.counts.cancelled++;
        return;
      }
      if ("error" in expected && expected.error === told.error && isDue(expected.cause, told.cause)) return;
      return this.wrong(id, `${told.error}: ${told.message}, expected ${JSON.stringify(expected)}`);
    }
    if ("value" in expected && expected.value === told.value) return;
    this.wrong(id, `${outcome}, expected ${JSON.stringify(expected)}`);
  }

  private answered(id: string, answer: string): void {
    const open = this.open.get(id);
    if (open !== undefined) open.answer = answer;
    const outcome = this.remembered.get(id)?.outcome;
    if (outcome !== undefined && kindOf(outcome) !== answer)
      this.wrong(id, `cancel answered ${answer}: ${outcome}`);
  }

  private remember(id: string, settled: Settled): void {
    this.remembered.set(id, settled);
    if (this.remembered.size <= REMEMBERED_MAX) return;
    const [oldest] = this.remembered.keys();
    if (oldest !== undefined) this.remembered.delete(oldest);
  }

  private double(id: string, what: string): void {
    this.counts.double_outcomes++;
    this.say(`task ${id} has two outcomes: ${what}`);
  }

  private wrong(id: string, what: string): void {
    this.counts.wrong_results++;
    this.say(`task ${id} ended wrong: ${what}`);
  }

  private say(line: string): void {
    if (++this.toldCount <= TOLD_MAX) this.tell(line);
  }
}

/** The log had no room for it, or for one that it depends on: that one's outcome is its own. */
function isForWantOfRoom({ error, cause, root }: Extract<Told, { error: string }>): boolean {
  if (error === "TaskRejectedError") return cause === "LogFullError";
  return error === "TaskFailedError" && cause === "DependencyFailedError" && root === "LogFullError";
}

function isDue(expected: string | undefined, cause: string | undefined): boolean {
  return expected === undefined || expected === cause;
}

function outcomeOf(told: Told): string {
  return "error" in told ? told.error : JSON.stringify(told.value);
}

/** What `cancel()` answers for such an outcome. */
function kindOf(outcome: string): string {
  if (outcome === "TaskCancelledError") return "cancelled";
  if (outcome === "TaskRejectedError") return "rejected";
  return outcome.endsWith("Error") ? "failed" : "succeeded";
}
