/**
 * One term of a leader: everything that exists only while it leads. Made when its election is folded, thrown away when
 * another's is.
 *
 * T1 What was released before the election is held back until the workers have said what they hold, or the claim window
 *    is over; what was released after it is dispatched at once.
 * T2 A claim counts only after the fold has reached what the claimant has appended.
 * T3 A worker that lives and does not answer in the window keeps what it held by its last word.
 */
import {
  type AttemptRef,
  assertNever,
  type ExpiredAttempt,
  encodeHello,
  type LostAttempt,
  type Presence,
  type ProbeAnswer,
  type Sender,
  type Subjects,
  type TaskId,
} from "@weft/protocol";
import type { Connection, Timer } from "@weft/transport";
import { type Effect, isReleased, type Ledger, type LiveTask, NOT_BEGUN } from "../core/ledger/index.ts";
import { Scheduler, type WorkerEntry } from "../core/scheduler/index.ts";
import { ClientOutlet } from "./client-outlet.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { EventOutlet } from "./event-outlet.ts";
import type { ValueStore } from "./value-store.ts";
import { BLOCKED_LONG_MS, type WorkerLoss } from "./worker-watch.ts";

export type TermOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly ledger: Ledger;
  readonly values: ValueStore;
  readonly events: EventOutlet;
  readonly epoch: number;
  readonly self: Sender;
  /** Workers that were heard of before the election. */
  readonly expected: ReadonlyMap<Sender, Presence>;
  /** Whether these are all that live: one that has just started may not know of those that hold something. */
  readonly expectsAll: boolean;
  readonly reportLost: (attempts: readonly LostAttempt[]) => void;
  readonly reportExpired: (attempts: readonly ExpiredAttempt[]) => void;
  /** Runs what a timer of the term does; a throw is a defect. */
  readonly guarded: (what: string, act: () => void) => void;
  readonly onFailed: (error: Error) => void;
};

const CLAIM_WINDOW_MS = 1_000;
/** What a worker says of the log is believed for so long: a log that was truncated or made anew never gets there. */
const FOLD_WAIT_MAX_MS = 10_000;
const SYNC_MS = 1_000;
/** What a worker may take beyond an attempt's time-out and its own grace before the leader ends the attempt. */
const EXPIRY_MARGIN_MS = 2_000;

export class Term {
  private readonly options: TermOptions;
  /** The record that elected this leader. */
  readonly epoch: number;
  readonly scheduler: Scheduler;
  readonly clients: ClientOutlet;
  private readonly dispatcher: Dispatcher;
  private readonly awaited: Set<Sender>;
  /** Released for longer than they may be before they are begun. */
  private readonly unbegun = new Map<TaskId, LiveTask>();
  private isUnbegunNews = false;
  /** The fold must have come this far before claims are final (T2). */
  private claimSeq = 0;
  private claimsOver = false;
  private windowOver = false;
  private readonly startedAtMs: number;
  /** Workers that have appended what is not folded, and since when. */
  private readonly aheadSinceMs = new Map<Sender, number>();
  private claimTimer: Timer | null = null;
  private readonly syncTimer: Timer;

  constructor(options: TermOptions) {
    const { ledger, subjects, epoch, values, onFailed } = options;
    const { nats, clock } = options.connection;
    this.options = options;
    this.epoch = epoch;
    this.startedAtMs = clock.nowMs();
    this.awaited = new Set(options.expected.keys());
    this.scheduler = new Scheduler((id) => ledger.live.get(id));
    this.clients = new ClientOutlet({ nats, subjects, ledger, values, epoch, onFailed });
    this.dispatcher = new Dispatcher({
      nats,
      clock,
      subjects,
      ledger,
      values,
      epoch,
      onFailed,
      scheduler: this.scheduler,
    });
    this.scheduler.takeOver(ledger.live);
    for (const task of ledger.live) {
      const { waitDueMs } = task;
      const isOverdue = waitDueMs !== null && waitDueMs !== NOT_BEGUN && waitDueMs <= ledger.clock.nowMs;
      if (task.state === "released" && isOverdue) this.unbegun.set(task.id, task);
    }
    this.hello(false);
    options.events.coordinator("elected", options.self, epoch);
    this.claimTimer = clock.after(CLAIM_WINDOW_MS, () => {
      this.windowOver = true;
      options.guarded("the end of the claim window", () => this.endClaims());
    });
    this.syncTimer = clock.every(SYNC_MS, () => options.guarded("syncing", () => this.sync()));
    this.endClaims();
  }

  close(): void {
    this.claimTimer?.cancel();
    this.syncTimer.cancel();
  }

  /** Who leads; and whether the log is so full that clients should hold back new tasks for a while. */
  hello(hold: boolean): void {
    const { connection, subjects, epoch, self } = this.options;
    if (connection.nats.isClosed()) return;
    connection.nats.publish(subjects.hello(0), encodeHello({ partition: 0, epoch, leader: self, hold }));
  }

  /** Acts on what a record did. */
  act(effects: readonly Effect[]): void {
    for (const effect of effects) this.actOn(effect);
  }

  /** After a turn: places what is ready and sends what has gathered. */
  flush(): void {
    if (!this.claimsOver) this.endClaims();
    if (this.isUnbegunNews) this.expireUnbegun();
    for (const out of this.scheduler.place()) {
      this.options.events.task("dispatched", out.task, out.worker.id);
      this.dispatcher.assign(out);
    }
    this.dispatcher.flush();
    this.clients.flush();
  }

  /** False where the worker does not follow this leader. */
  presence(worker: Sender, presence: Presence): boolean {
    if (presence.epoch !== this.options.epoch) {
      // Any message makes it follow, and it answers with its presence at once.
      this.dispatcher.sync(worker);
      return false;
    }
    if (!this.scheduler.workers.has(worker)) this.dispatcher.resume(worker, presence.seen);
    const before = this.scheduler.workers.get(worker)?.presence.state;
    const { stray, cancelling, isNew } = this.scheduler.seen(
      worker,
      presence,
      this.options.connection.clock.nowMs(),
    );
    if (presence.state === "draining" && before !== "draining")
      this.options.events.worker("draining", worker, {});
    if (isNew) this.options.events.worker("joined", worker, { names: presence.names, slots: presence.slots });
    for (const attempt of stray) this.dispatcher.abort(worker, attempt);
    for (const { id, attempt, cancel } of cancelling) {
      this.dispatcher.cancel(worker, { id, attempt, reason: cancel?.reason ?? null });
    }
    const foldedSeq = this.isAheadForLong(worker, presence)
      ? Number.POSITIVE_INFINITY
      : this.options.ledger.seq;
    for (const task of this.scheduler.takeMissing(worker, this.options.epoch, foldedSeq)) this.again(task);
    this.claimSeq = Math.max(this.claimSeq, presence.appendedSeq);
    this.awaited.delete(worker);
    this.flush();
    return true;
  }

  /** What it held by its last word is given up, also where it has not spoken to this leader. */
  lost(worker: Sender, why: WorkerLoss, last: Presence): void {
    if (!this.claimsOver && !this.scheduler.workers.has(worker)) {
      this.scheduler.seen(worker, last, this.options.connection.clock.nowMs());
    }
    const orphans = this.scheduler.gone(worker);
    this.dispatcher.forget(worker);
    this.awaited.delete(worker);
    this.aheadSinceMs.delete(worker);
    this.options.events.worker(why === "left" ? "left" : "lost", worker, { why, attempts: orphans.length });
    const lostWorker = why === "left" ? null : worker;
    this.options.reportLost(
      orphans.map(({ task, attempt, isBegun }) => ({ id: task.id, attempt, started: isBegun, lostWorker })),
    );
    this.flush();
  }

  /** It is given nothing more until it is heard of again. */
  overdue(worker: Sender): void {
    this.scheduler.block(worker);
  }

  /** Its code blocks its event loop: it keeps what it runs, and for long no more than that. */
  blocked(worker: Sender, { blockedMs, begun }: ProbeAnswer): void {
    this.scheduler.block(worker);
    const taken =
      blockedMs < BLOCKED_LONG_MS || begun === null ? [] : this.scheduler.takeUnstarted(worker, begun);
    this.options.events.worker("blocked", worker, { blockedMs, takenBack: taken.length });
    const unstarted = taken.map(({ task, attempt }) => ({ id: task.id, attempt }));
    for (const each of unstarted) this.dispatcher.abort(worker, each);
    this.unheld(unstarted);
    this.flush();
  }

  /** An attempt whose message was lost: it was never begun, so it is simply sent again. */
  private again(task: LiveTask): void {
    if (task.state === "cancelling") this.unheld([task]);
    else this.scheduler.ready(task);
  }

  private actOn(effect: Effect): void {
    switch (effect.type) {
      case "submitted":
        this.clients.opened(effect.task.owner);
        this.tell(effect.task, "submitted");
        return;
      case "released":
        this.scheduler.ready(effect.task);
        this.tell(effect.task, "released");
        return;
      case "attempt_opened":
        this.abort(this.over(effect.task), { id: effect.task.id, attempt: effect.previous });
        if (isReleased(effect.task)) this.scheduler.ready(effect.task);
        this.tell(effect.task, "reopened");
        return;
      case "queue_overdue":
        this.unbegun.set(effect.task.id, effect.task);
        this.isUnbegunNews = true;
        return;
      case "cancelling":
        this.cancelling(effect.task);
        return;
      case "settled": {
        const { task, live, progress, value } = effect;
        const worker = this.over(live);
        if (task.finish === null) this.abort(worker, { id: task.id, attempt: task.attempt });
        this.clients.settled(task, live.owner, progress, value);
        this.options.events.task(task.outcome, task, undefined, task.verdict?.type);
        return;
      }
      case "submitted_again":
        this.clients.follow(effect.id, effect.sender);
        return;
      case "carried":
      case "freed":
      case "leader_elected":
      case "leader_resigned":
      case "diverged":
      case "void":
        return;
      default:
        assertNever(effect);
    }
  }

  /** Answers the worker that it was out at. */
  private over(task: LiveTask): WorkerEntry | null {
    if (this.unbegun.size > 0) this.unbegun.delete(task.id);
    return this.scheduler.over(task);
  }

  /** It was not the worker that ended it. */
  private abort(worker: WorkerEntry | null, attempt: AttemptRef): void {
    if (worker !== null) this.dispatcher.abort(worker.id, attempt);
  }

  private tell(task: LiveTask, state: "submitted" | "released" | "reopened" | "cancelling"): void {
    this.options.events.task(state, task);
  }

  private cancelling(task: LiveTask): void {
    this.tell(task, "cancelling");
    const worker = this.scheduler.workerOf(task.id);
    const { id, attempt } = task;
    if (worker !== null)
      this.dispatcher.cancel(worker.id, { id, attempt, reason: task.cancel?.reason ?? null });
    else if (!this.scheduler.isHeldBack(id)) this.unheld([task]);
  }

  private isAheadForLong(worker: Sender, { appendedSeq }: Presence): boolean {
    if (appendedSeq <= this.options.ledger.seq) {
      this.aheadSinceMs.delete(worker);
      return false;
    }
    const nowMs = this.options.connection.clock.nowMs();
    const sinceMs = this.aheadSinceMs.get(worker) ?? nowMs;
    this.aheadSinceMs.set(worker, sinceMs);
    return nowMs - sinceMs > FOLD_WAIT_MAX_MS;
  }

  /** Attempts that no worker has begun, or cancelled tasks that none holds: nobody else can end them. */
  private unheld(tasks: readonly AttemptRef[]): void {
    this.options.reportLost(
      tasks.map(({ id, attempt }) => ({ id, attempt, started: false, lostWorker: null })),
    );
  }

  /** Ends what has waited for too long to be begun. One that seems begun may turn out not to be, so it is kept in view. */
  private expireUnbegun(): void {
    this.isUnbegunNews = false;
    const expired: ExpiredAttempt[] = [];
    for (const task of this.unbegun.values()) {
      const { id, attempt, waitDueMs } = task;
      if (waitDueMs === null || waitDueMs > this.options.ledger.clock.nowMs) this.unbegun.delete(id);
      else if (!this.scheduler.isHeldBack(id) && !this.scheduler.isBegun(id)) {
        this.unbegun.delete(id);
        expired.push({ id, attempt, limit: "queue" });
      }
    }
    this.options.reportExpired(expired);
  }

  private endClaims(): void {
    const { expected, expectsAll, ledger } = this.options;
    const allHeard = expectsAll && expected.size > 0 && this.awaited.size === 0;
    const nothingToClaim = this.scheduler.heldBackCount === 0;
    const nowMs = this.options.connection.clock.nowMs();
    const isBehind = ledger.seq < this.claimSeq && nowMs - this.startedAtMs < FOLD_WAIT_MAX_MS;
    if (this.claimsOver || isBehind) return;
    if (!nothingToClaim && !allHeard && !this.windowOver) return;
    this.claimsOver = true;
    for (const worker of this.awaited) {
      const presence = expected.get(worker);
      if (presence === undefined) continue;
      // Blocked by its code, or cut off: it is found out which, and what it held is run again only if it is gone (T3).
      this.scheduler.seen(worker, presence, nowMs);
      this.scheduler.block(worker);
    }
    this.claimTimer?.cancel();
    this.claimTimer = null;
    this.unheld(this.scheduler.releaseHeldBack().map(({ task }) => task));
    queueMicrotask(() => this.options.guarded("sending", () => this.flush()));
  }

  private sync(): void {
    for (const [worker, { presence }] of this.scheduler.workers)
      this.dispatcher.syncIfDue(worker, presence.seen);
    this.clients.sync();
    if (this.unbegun.size > 0) this.expireUnbegun();
    const expired = this.scheduler.takeExpired(this.options.connection.clock.nowMs(), EXPIRY_MARGIN_MS);
    this.options.reportExpired(expired.map(({ id, attempt }) => ({ id, attempt, limit: "run" })));
    this.flush();
  }
}
