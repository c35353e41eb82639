/**
 * Sends assignments, cancels and aborts to workers, in numbered batches, one per worker and turn. Arguments and small
 * dependency values travel inside; what is not in the cache is read back from the log first.
 */
import {
  type AssignedDeps,
  type Assignment,
  type AttemptRef,
  encodeWorkerMessage,
  type Identity,
  INLINE_DEPS_BYTES_MAX,
  MESSAGE_BYTES_TARGET,
  Sender,
  type Subjects,
  type WorkerMessage,
} from "@weft/protocol";
import type { Bus, Clock } from "@weft/transport";
import type { Ledger, LiveTask, Position } from "../core/ledger/index.ts";
import type { Out, Scheduler } from "../core/scheduler/index.ts";
import type { ValueStore } from "./value-store.ts";

type Cancel = WorkerMessage["cancels"][number];
type Batch = {
  assignments: Assignment[];
  /** Of the assignments. */
  outs: Out[];
  cancels: Cancel[];
  aborts: AttemptRef[];
  bytes: number;
};

type Owner = { readonly sender: Sender | null; readonly identity: Identity };

/** A worker that has seen all that was sent is told so much more seldom that it is heard. Less than the lease for which it follows a leader that is silent. */
const QUIET_SYNC_MS = 5_000;
const ITEM_BYTES = 128;
const ITEMS_MAX = 5_000;

export type DispatcherOptions = {
  readonly nats: Bus;
  readonly clock: Pick<Clock, "nowMs">;
  readonly subjects: Subjects;
  readonly ledger: Ledger;
  readonly scheduler: Scheduler;
  readonly values: ValueStore;
  readonly epoch: number;
  readonly onFailed: (error: Error) => void;
};

export class Dispatcher {
  private readonly options: DispatcherOptions;
  private readonly numbers = new Map<Sender, number>();
  /** When it was last sent anything. */
  private readonly sentAtMs = new Map<Sender, number>();
  private readonly batches = new Map<Sender, Batch>();

  /** Of the last task. */
  private owner: Owner = NOBODY;

  constructor(options: DispatcherOptions) {
    this.options = options;
  }

  assign(out: Out): void {
    const { task } = out;
    const args = this.options.values.peek(task.submitted);
    const deps = this.peekDeps(task);
    if (args === undefined || deps === undefined) return this.loadThenAssign(out);
    this.add(out, args ?? EMPTY, deps);
  }

  cancel(worker: Sender, cancel: Cancel): void {
    this.grow(worker, ITEM_BYTES).cancels.push(cancel);
  }

  abort(worker: Sender, attempt: AttemptRef): void {
    this.grow(worker, ITEM_BYTES).aborts.push(attempt);
  }

  flush(): void {
    for (const worker of this.batches.keys()) this.send(worker);
  }

  /** Says the next number, so that a worker whose last message was lost finds out, and knows that it is heard. */
  sync(worker: Sender): void {
    this.batchOf(worker);
    this.send(worker);
  }

  /** The same where the worker has not said that it has the last number; seldom where it has: then nothing can be lost. */
  syncIfDue(worker: Sender, seen: number): void {
    const hasAll = seen === this.numbers.get(worker);
    const sentAtMs = this.sentAtMs.get(worker) ?? Number.NEGATIVE_INFINITY;
    if (!hasAll || this.options.clock.nowMs() - sentAtMs >= QUIET_SYNC_MS) this.sync(worker);
  }

  /** A worker that comes back goes on counting where it was: a number that it has seen means one message only. */
  resume(worker: Sender, seen: number): void {
    this.numbers.set(worker, Math.max(this.numbers.get(worker) ?? 0, seen));
  }

  forget(worker: Sender): void {
    this.numbers.delete(worker);
    this.sentAtMs.delete(worker);
    this.batches.delete(worker);
  }

  private batchOf(worker: Sender): Batch {
    let batch = this.batches.get(worker);
    if (batch === undefined) {
      batch = { assignments: [], outs: [], cancels: [], aborts: [], bytes: 0 };
      this.batches.set(worker, batch);
    }
    return batch;
  }

  /** The batch of a worker with room for so many bytes. */
  private grow(worker: Sender, bytes: number): Batch {
    let batch = this.batchOf(worker);
    const full = batch.bytes + bytes > MESSAGE_BYTES_TARGET || batch.assignments.length >= ITEMS_MAX;
    if (full && batch.bytes > 0) {
      this.send(worker);
      batch = this.batchOf(worker);
    }
    batch.bytes += bytes;
    return batch;
  }

  private add(out: Out, args: Uint8Array, deps: AssignedDeps | null): void {
    const { task, worker } = out;
    let bytes = ITEM_BYTES + args.length;
    if (deps !== null) for (const value of deps.values) bytes += 32 + (value?.length ?? 0);
    const batch = this.grow(worker.id, bytes);
    batch.outs.push(out);
    batch.assignments.push({
      id: task.id,
      attempt: task.attempt,
      name: task.name,
      owner: this.identityOf(task.owner),
      args,
      deps,
      traceparent: task.terms.traceparent,
      timeoutMs: task.terms.timeoutMs,
    });
  }

  private identityOf(owner: Sender): Identity {
    if (owner !== this.owner.sender) this.owner = { sender: owner, identity: Sender.identity(owner) };
    return this.owner.identity;
  }

  private send(worker: Sender): void {
    const batch = this.batches.get(worker);
    const { nats, clock, subjects, epoch } = this.options;
    if (batch === undefined || nats.isClosed()) return;
    this.batches.delete(worker);
    const number = (this.numbers.get(worker) ?? 0) + 1;
    this.numbers.set(worker, number);
    this.sentAtMs.set(worker, clock.nowMs());
    const { assignments, outs, cancels, aborts } = batch;
    for (const out of outs) out.message = number;
    nats.publish(
      subjects.worker(worker),
      encodeWorkerMessage({ epoch, number, assignments, cancels, aborts }),
    );
  }

  /** Values that fit are inside, the rest null for the worker to ask for. Undefined where one must be loaded first. */
  private peekDeps(task: LiveTask): AssignedDeps | null | undefined {
    if (task.dependencies.length === 0) return null;
    const values: (Uint8Array | null)[] = [];
    let bytes = 0;
    const { settled } = this.options.ledger;
    for (const id of task.dependencies) {
      const position = settled.finishOf(id);
      if (bytes > INLINE_DEPS_BYTES_MAX || position === null) {
        values.push(null);
        continue;
      }
      const value = this.options.values.peek(position);
      if (value === undefined) return undefined;
      bytes += 8 + (value?.length ?? 0);
      values.push(bytes > INLINE_DEPS_BYTES_MAX ? null : value);
    }
    return { ids: task.dependencies, values };
  }

  private loadThenAssign(out: Out): void {
    this.load(out.task).then(
      ({ args, deps }) => {
        if (!this.options.scheduler.isOut(out)) return;
        this.add(out, args, deps);
        this.flush();
      },
      (error: unknown) => this.options.onFailed(error as Error),
    );
  }

  private async load(task: LiveTask): Promise<{ args: Uint8Array; deps: AssignedDeps | null }> {
    const { values, ledger } = this.options;
    const args = (await values.loadMoving(() => task.submitted)) ?? EMPTY;
    if (task.dependencies.length === 0) return { args, deps: null };
    const loaded: (Uint8Array | null)[] = [];
    let bytes = 0;
    for (const id of task.dependencies) {
      const where = (): Position | null => ledger.settled.finishOf(id);
      const value = bytes > INLINE_DEPS_BYTES_MAX ? null : await values.loadMoving(where);
      bytes += 8 + (value?.length ?? 0);
      loaded.push(bytes > INLINE_DEPS_BYTES_MAX ? null : value);
    }
    return { args, deps: { ids: task.dependencies, values: loaded } };
  }
}

const NOBODY: Owner = { sender: null, identity: "" as Identity };
/** No arguments. */
const EMPTY: Uint8Array = new Uint8Array(0);
