/**
 * The ledger: the fold of a partition's log. Pure, synchronous and total: `apply(entry) -> Effect[]`. The same log gives
 * the same state on every machine; nothing here reads a clock, a random number or anything but the records in order.
 *
 * L1 An id has at most one outcome, and an outcome never changes (I1).
 * L2 A task is released only when every dependency has succeeded (I2).
 * L3 Only a finish of the current attempt of a released task counts (I3).
 * L4 Only control records move the clock, and only those of the current epoch act.
 * L5 No recursion over data: chains of tasks are longer than any stack.
 */
import {
  assertNever,
  type CancelRecord,
  type ControlRecord,
  type ControlSecret,
  type Finish,
  type FinishRecord,
  type LogRecord,
  type LogSubject,
  type LostAttempt,
  type Nonce,
  type Outcome,
  type Sender,
  type Stopped,
  type Submission,
  type SubmitRecord,
  TaskId,
} from "@weft/protocol";
import { LedgerClock } from "./clock.ts";
import { findCycle } from "./cycle.ts";
import { Deadlines } from "./deadlines.ts";
import type { Effect, VoidReason } from "./effect.ts";
import { Senders } from "./senders.ts";
import type { LiveTask, Position, SettledTask, Verdict } from "./task.ts";

export type LedgerConfig = { readonly partition: number; readonly secret: ControlSecret };

/** One record of the log with what the stream says of it. `record` is null where the bytes were not a record. */
export type LogEntry = {
  readonly seq: number;
  readonly stampMs: number;
  readonly subject: LogSubject;
  readonly record: LogRecord | null;
};

const UNKNOWN_WAIT_MS = 60_000;
const EARLY_CANCELS_MAX = 100_000;
/** A task whose attempts took this many workers with them is not tried again. */
const WORKER_LOSSES_MAX = 5;
const COMPACT_AT = 64;

type Ending = {
  readonly outcome: Outcome;
  readonly finish: Position | null;
  readonly verdict: Verdict | null;
  readonly progress: Uint8Array | null;
  readonly value: Uint8Array | null;
};

export class Ledger {
  private readonly config: LedgerConfig;
  readonly clock: LedgerClock = new LedgerClock();
  readonly live: Map<TaskId, LiveTask> = new Map();
  readonly settled: Map<TaskId, SettledTask> = new Map();
  readonly senders: Senders = new Senders();
  /** Ids that tasks wait for and that nobody has submitted. */
  readonly unknown: Map<TaskId, LiveTask[]> = new Map();
  private readonly unknownDeadlines = new Deadlines<TaskId>(UNKNOWN_WAIT_MS);
  /** Cancels that overtook their submit. */
  private readonly earlyCancels = new Map<TaskId, string | null>();
  private readonly earlyCancelDeadlines = new Deadlines<TaskId>(UNKNOWN_WAIT_MS);
  /** The last record folded. */
  seq = 0;
  /** The last record on the control subject, void or not: what the next control append must expect. */
  lastControlSeq = 0;
  /** The sequence of the `elected` in force; 0 before the first. */
  epoch = 0;
  leader: Nonce | null = null;
  foldVersion = 0;
  private nextOrder = 0;
  private effects: Effect[] = [];

  constructor(config: LedgerConfig) {
    this.config = config;
  }

  apply(entry: LogEntry): Effect[] {
    this.effects = [];
    this.seq = entry.seq;
    const { subject, record } = entry;
    if (subject.kind === "control" && subject.secret === this.config.secret) this.lastControlSeq = entry.seq;
    if (record !== null) this.fold(entry, subject, record);
    return this.effects;
  }

  private fold(entry: LogEntry, subject: LogSubject, record: LogRecord): void {
    if (subject.kind === "control") {
      if (record.type !== "control") return;
      if (subject.secret !== this.config.secret) return this.void("wrong control secret");
      return this.control(entry, record);
    }
    if (record.type === "control" || record.type !== subject.kind) return;
    if (!subject.sender.endsWith(`.${record.instance}`)) return this.void("sender differs from subject");
    if (!this.senders.admit(record.instance, record.number, this.clock.nowMs)) return this.void("repeat");
    switch (record.type) {
      case "submit":
        return this.submit(entry.seq, subject.sender, record);
      case "cancel":
        return this.cancel(record);
      case "finish":
        return this.finishAll(entry.seq, record);
      default:
        return assertNever(record);
    }
  }

  private void(why: VoidReason): void {
    this.effects.push({ type: "void", why });
  }

  private submit(seq: number, owner: Sender, record: SubmitRecord): void {
    for (let index = 0; index < record.tasks.length; index++) {
      const submission = record.tasks[index];
      if (submission === undefined) continue;
      if (TaskId.partition(submission.id) !== this.config.partition) this.void("task of another partition");
      else if (this.live.has(submission.id) || this.settled.has(submission.id))
        this.effects.push({ type: "submitted_again", id: submission.id, sender: owner });
      else this.take(submission, owner, { seq, index });
    }
  }

  private take(submission: Submission, owner: Sender, submitted: Position): void {
    const { id, name, dependsOn, options } = submission;
    const task: LiveTask = {
      id,
      name,
      owner,
      priority: options?.priority ?? 0,
      labels: options?.labels ?? [],
      dependencies: dependsOn,
      parent: options?.parent ?? null,
      traceparent: options?.traceparent ?? null,
      submitted,
      submittedAtMs: this.clock.nowMs,
      order: this.nextOrder++,
      state: "waiting",
      attempt: 1,
      tries: 0,
      workerLosses: 0,
      unmet: 0,
      dependents: this.unknown.get(id) ?? [],
      cancelReason: null,
    };
    const awaited = this.unknown.delete(id);
    if (awaited) this.unknownDeadlines.delete(id);
    this.live.set(id, task);
    this.effects.push({ type: "submitted", task });
    const verdict = this.refusal(task, awaited);
    if (verdict !== null) {
      this.end(task, verdict.type === "cancelled" ? "cancelled" : "rejected", verdict);
      return;
    }
    this.link(task);
  }

  /** Why the task cannot be taken; null where it can. */
  private refusal(task: LiveTask, awaited: boolean): Verdict | null {
    const { parent } = task;
    if (parent !== null) {
      const current = this.live.get(parent.id);
      if (current === undefined || current.attempt !== parent.attempt || current.state === "waiting") {
        return { type: "parent_gone", parent: parent.id, attempt: parent.attempt };
      }
    }
    const reason = this.earlyCancels.get(task.id);
    if (reason !== undefined) {
      this.earlyCancels.delete(task.id);
      this.earlyCancelDeadlines.delete(task.id);
      return { type: "cancelled", reason, stopped: "before_release" };
    }
    // A cycle is closed by its last edge, so only a task that somebody waits for already, or that names itself, can close one.
    if (!awaited && !task.dependencies.includes(task.id)) return null;
    const path = findCycle(task.id, task.dependencies, this.live);
    return path === null ? null : { type: "cycle", path };
  }

  private link(task: LiveTask): void {
    for (const id of task.dependencies) {
      const settled = this.settled.get(id);
      if (settled !== undefined) {
        if (settled.outcome === "succeeded") continue;
        return this.end(task, "failed", failedThrough(settled));
      }
      task.unmet++;
      const dependency = this.live.get(id);
      if (dependency !== undefined) addDependent(dependency.dependents, task, this.live);
      else this.awaitUnknown(id, task);
    }
    if (task.unmet === 0) this.release(task);
  }

  private awaitUnknown(id: TaskId, task: LiveTask): void {
    const waiters = this.unknown.get(id);
    if (waiters === undefined) {
      this.unknown.set(id, [task]);
      this.unknownDeadlines.add(id);
    } else addDependent(waiters, task, this.live);
  }

  private release(task: LiveTask): void {
    task.state = "released";
    this.effects.push({ type: "released", task });
  }

  /** Settles by a verdict of the fold. */
  private end(task: LiveTask, outcome: Outcome, verdict: Verdict): void {
    this.settle(task, { outcome, finish: null, verdict, progress: null, value: null });
  }

  private settle(first: LiveTask, ending: Ending): void {
    const open: [LiveTask, SettledTask][] = [[first, this.record(first, ending)]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [task, settled] = next;
      const succeeded = settled.outcome === "succeeded";
      for (const dependent of task.dependents) {
        if (dependent.state !== "waiting" || this.live.get(dependent.id) !== dependent) continue;
        if (succeeded) {
          if (--dependent.unmet === 0) this.release(dependent);
          continue;
        }
        const verdict = failedThrough(settled);
        open.push([
          dependent,
          this.record(dependent, { outcome: "failed", finish: null, verdict, progress: null, value: null }),
        ]);
      }
      task.dependents = [];
    }
  }

  private record(task: LiveTask, ending: Ending): SettledTask {
    const settled: SettledTask = {
      id: task.id,
      name: task.name,
      outcome: ending.outcome,
      attempt: task.attempt,
      tries: task.tries,
      submitted: task.submitted,
      settledAtMs: this.clock.nowMs,
      finish: ending.finish,
      verdict: ending.verdict,
    };
    this.live.delete(task.id);
    this.settled.set(task.id, settled);
    const { progress, value } = ending;
    this.effects.push({ type: "settled", task: settled, owner: task.owner, progress, value });
    return settled;
  }

  private cancel(record: CancelRecord): void {
    for (const { id, reason } of record.cancels) {
      const task = this.live.get(id);
      if (task === undefined) {
        if (this.settled.has(id)) this.void("cancel of a settled task");
        else this.cancelEarly(id, reason);
      } else if (task.state === "waiting") {
        this.end(task, "cancelled", { type: "cancelled", reason, stopped: "before_release" });
      } else if (task.state === "released") {
        task.state = "cancelling";
        task.cancelReason = reason;
        this.effects.push({ type: "cancelling", task });
      }
    }
  }

  private cancelEarly(id: TaskId, reason: string | null): void {
    if (this.earlyCancels.size >= EARLY_CANCELS_MAX) return;
    this.earlyCancels.set(id, reason);
    this.earlyCancelDeadlines.add(id);
  }

  private finishAll(seq: number, record: FinishRecord): void {
    for (let index = 0; index < record.finishes.length; index++) {
      const finish = record.finishes[index];
      if (finish !== undefined) this.finish(finish, { seq, index });
    }
  }

  private finish(finish: Finish, position: Position): void {
    const task = this.live.get(finish.id);
    if (task === undefined) {
      return this.void(
        this.settled.has(finish.id) ? "finish of a settled task" : "finish of an unknown task",
      );
    }
    if (task.state === "waiting" || task.attempt !== finish.attempt) {
      return this.void("finish of an attempt that is not current");
    }
    if (finish.started) task.tries++;
    if (finish.outcome === "returned") return this.reopen(task, "before_start");
    const { outcome, progress, value } = finish;
    if (outcome !== "cancelled" && outcome !== "terminated") {
      return this.settle(task, { outcome, finish: position, verdict: null, progress, value });
    }
    const stopped = outcome === "terminated" ? outcome : finish.started ? "while_running" : "before_start";
    const verdict: Verdict = { type: "cancelled", reason: task.cancelReason, stopped };
    this.settle(task, { outcome: "cancelled", finish: position, verdict, progress, value: null });
  }

  /** The attempt is over without an outcome: another one, unless somebody wanted the task stopped. */
  private reopen(task: LiveTask, stopped: Stopped): void {
    if (task.state === "cancelling") {
      return this.end(task, "cancelled", { type: "cancelled", reason: task.cancelReason, stopped });
    }
    const previous = task.attempt++;
    this.effects.push({ type: "attempt_opened", task, previous });
  }

  private control(entry: LogEntry, record: ControlRecord): void {
    const { event } = record;
    if (event.type === "elected") {
      this.clock.advance(entry.stampMs, record.wallMs);
      this.epoch = entry.seq;
      this.leader = event.nonce;
      this.foldVersion = Math.max(this.foldVersion, record.foldVersion);
      this.effects.push({ type: "leader_elected", epoch: entry.seq, nonce: event.nonce });
      return this.timePassed();
    }
    if (record.epoch !== this.epoch || this.leader === null) return this.void("another epoch");
    this.clock.advance(entry.stampMs, record.wallMs);
    switch (event.type) {
      case "tick":
        break;
      case "resigned":
        this.leader = null;
        this.effects.push({ type: "leader_resigned", epoch: this.epoch });
        break;
      case "lost":
        for (const attempt of event.attempts) this.lose(attempt);
        break;
      default:
        assertNever(event);
    }
    this.timePassed();
  }

  private lose(lost: LostAttempt): void {
    const task = this.live.get(lost.id);
    if (task === undefined || task.state === "waiting" || task.attempt !== lost.attempt) {
      return this.void("loss of an attempt that is not current");
    }
    if (lost.started) task.tries++;
    if (lost.workerLost) task.workerLosses++;
    if (task.workerLosses >= WORKER_LOSSES_MAX && task.state === "released") {
      return this.end(task, "failed", { type: "workers_lost", losses: task.workerLosses });
    }
    this.reopen(task, lost.started ? "while_running" : "before_start");
  }

  private timePassed(): void {
    const { nowMs } = this.clock;
    this.senders.forget(nowMs);
    for (const id of this.earlyCancelDeadlines.takeDue(nowMs)) this.earlyCancels.delete(id);
    for (const id of this.unknownDeadlines.takeDue(nowMs)) {
      const waiters = this.unknown.get(id) ?? [];
      this.unknown.delete(id);
      for (const task of waiters) {
        if (this.live.get(task.id) === task)
          this.end(task, "failed", { type: "unknown_dependency", dependency: id });
      }
    }
  }
}

function failedThrough(dependency: SettledTask): Verdict {
  const { verdict } = dependency;
  const further = verdict?.type === "dependency_failed";
  return {
    type: "dependency_failed",
    dependency: dependency.id,
    root: further ? verdict.root : dependency.id,
    distance: further ? verdict.distance + 1 : 1,
  };
}

/** Drops dependents that have settled meanwhile whenever the list has doubled, so that it cannot grow without bound. */
function addDependent(list: LiveTask[], task: LiveTask, live: ReadonlyMap<TaskId, LiveTask>): void {
  if (list.length >= COMPACT_AT && (list.length & (list.length - 1)) === 0) {
    const kept = list.filter((each) => live.get(each.id) === each);
    list.length = 0;
    for (const each of kept) list.push(each);
  }
  list.push(task);
}
