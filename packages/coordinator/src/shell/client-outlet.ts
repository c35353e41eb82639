/**
 * Tells clients which of their tasks settled: in numbered batches, one per client and turn. Each second it says its last
 * number to clients with tasks open, so that a lost batch is found out; what was in it, the client asks for.
 */
import {
  encodeClientMessage,
  INLINE_DEPS_BYTES_MAX,
  MESSAGE_BYTES_TARGET,
  type Reason,
  type Sender,
  type SettledTask as SettledMessage,
  type Subjects,
  type TaskId,
} from "@weft/protocol";
import type { Bus } from "@weft/transport";
import { isFreed, type Ledger, type Position, type SettledTask, tell } from "../core/ledger/index.ts";
import type { ValueStore } from "./value-store.ts";

type Line = {
  readonly client: Sender;
  number: number;
  batch: SettledMessage[];
  batchBytes: number;
  openTasks: number;
  /** Tasks of others that it follows. */
  watching: number;
  /** How often its last number was said since it waits for nothing. */
  idleSyncs: number;
  /** It has a batch that is not sent yet. */
  isDirty: boolean;
};

const WATCHES_MAX = 1_000_000;
/** A client whose last batch was lost hears of it as often. */
const IDLE_SYNCS = 5;
/** Clients that are told their last number at once; the others are told in the next second, or ask. */
const SYNCS_MAX = 5_000;
/** Values that are read back at once for messages to clients; beyond that the client fetches them. */
const LOADS_MAX = 1_000;
const ITEM_BYTES = 128;
const REASON_BYTES = 64;
const LINK_BYTES = 128;
const ID_BYTES = 24;
const ITEMS_MAX = 5_000;

export class ClientOutlet {
  private readonly nats: Bus;
  private readonly subjects: Subjects;
  private readonly ledger: Ledger;
  private readonly values: ValueStore;
  private readonly epoch: number;
  private readonly onFailed: (error: Error) => void;
  private readonly lines = new Map<Sender, Line>();
  /** Clients that follow a task which is not theirs. */
  private readonly watchers = new Map<TaskId, Set<Sender>>();
  private dirty: Line[] = [];
  /** Most tasks are of the client that the one before was of. */
  private recent: Line | null = null;
  private watchCount = 0;
  private loading = 0;
  /** Batches sent to anybody: a line that is made anew goes on from there, so that no number of a client comes twice. */
  private published = 0;
  private rotation: MapIterator<[Sender, Line]> | null = null;

  constructor(options: {
    readonly nats: Bus;
    readonly subjects: Subjects;
    readonly ledger: Ledger;
    readonly values: ValueStore;
    readonly epoch: number;
    readonly onFailed: (error: Error) => void;
  }) {
    this.nats = options.nats;
    this.subjects = options.subjects;
    this.ledger = options.ledger;
    this.values = options.values;
    this.epoch = options.epoch;
    this.onFailed = options.onFailed;
    for (const task of options.ledger.live) this.opened(task.owner);
  }

  opened(owner: Sender): void {
    this.line(owner).openTasks++;
  }

  /** False where no more can be watched. */
  watch(id: TaskId, client: Sender): boolean {
    const watchers = this.watchers.get(id);
    if (watchers?.has(client) === true) return true;
    if (this.watchCount >= WATCHES_MAX) return false;
    this.watchCount++;
    this.line(client).watching++;
    if (watchers !== undefined) watchers.add(client);
    else this.watchers.set(id, new Set([client]));
    return true;
  }

  /** A client submitted a task that is there already: it is told how that one ends, or has ended. */
  follow(id: TaskId, client: Sender): void {
    const settled = this.ledger.settled.get(id);
    if (settled === undefined) {
      if (this.ledger.live.get(id)?.owner !== client) this.watch(id, client);
      return;
    }
    const { reason, source } = tell(this.ledger, settled);
    const value = peekSource(source, this.values);
    const message = messageOf(settled, reason, null, value ?? null);
    this.push(client, value === undefined ? { ...message, fetch: true } : message);
  }

  settled(task: SettledTask, owner: Sender, progress: Uint8Array | null, value: Uint8Array | null): void {
    this.line(owner).openTasks--;
    const receivers = this.watchCount === 0 ? undefined : this.takeWatchers(task.id);
    if (task.verdict === null) return this.enqueue(messageOf(task, null, progress, value), owner, receivers);
    const { reason, source } = tell(this.ledger, task);
    const bytes = peekSource(source, this.values);
    const message = messageOf(task, reason, progress, bytes ?? null);
    if (bytes === undefined) return this.loadThenSend(task, { ...message, fetch: true }, owner, receivers);
    this.enqueue(message, owner, receivers);
  }

  private takeWatchers(id: TaskId): ReadonlySet<Sender> | undefined {
    const watchers = this.watchers.get(id);
    if (watchers === undefined) return watchers;
    this.watchers.delete(id);
    for (const client of watchers) this.line(client).watching--;
    this.watchCount -= watchers.size;
    return watchers;
  }

  flush(): void {
    const { dirty } = this;
    if (dirty.length === 0) return;
    this.dirty = [];
    for (const line of dirty) {
      line.isDirty = false;
      this.send(line);
    }
  }

  /** Says the last number to clients that wait for something, and for a while to those that wait no more. */
  sync(): void {
    if (this.lines.size === 0) return;
    for (let left = Math.min(this.lines.size, SYNCS_MAX); left > 0; left--) {
      this.rotation ??= this.lines.entries();
      const next = this.rotation.next();
      if (next.done === true) {
        this.rotation = null;
        left++;
        continue;
      }
      const [client, line] = next.value;
      const isIdle = line.openTasks <= 0 && line.watching <= 0;
      line.idleSyncs = isIdle ? line.idleSyncs + 1 : 0;
      if (line.idleSyncs > IDLE_SYNCS) this.forget(line);
      else this.publish(client, line.number, []);
    }
  }

  private forget(line: Line): void {
    this.lines.delete(line.client);
    this.recent = null;
  }

  private line(client: Sender): Line {
    if (this.recent === null || this.recent.client !== client) this.recent = this.find(client);
    return this.recent;
  }

  private find(client: Sender): Line {
    let line = this.lines.get(client);
    if (line === undefined) {
      line = {
        client,
        number: this.published,
        batch: [],
        batchBytes: 0,
        openTasks: 0,
        watching: 0,
        idleSyncs: 0,
        isDirty: false,
      };
      this.lines.set(client, line);
    }
    return line;
  }

  private enqueue(message: SettledMessage, owner: Sender, watchers: ReadonlySet<Sender> | undefined): void {
    this.push(owner, message);
    if (watchers === undefined) return;
    for (const client of watchers) if (client !== owner) this.push(client, message);
  }

  private push(client: Sender, message: SettledMessage): void {
    const line = this.line(client);
    const bytes = bytesOf(message);
    if (line.batchBytes + bytes > MESSAGE_BYTES_TARGET || line.batch.length >= ITEMS_MAX) this.send(line);
    line.batch.push(message);
    line.batchBytes += bytes;
    if (line.isDirty) return;
    line.isDirty = true;
    this.dirty.push(line);
  }

  private send(line: Line): void {
    if (line.batch.length === 0) return;
    this.published++;
    this.publish(line.client, ++line.number, line.batch);
    line.batch = [];
    line.batchBytes = 0;
  }

  private publish(client: Sender, number: number, settled: readonly SettledMessage[]): void {
    if (this.nats.isClosed()) return;
    this.nats.publish(
      this.subjects.client(client),
      encodeClientMessage({ epoch: this.epoch, number, settled }),
    );
  }

  /** The failure at the root of a chain is no longer in the cache: read it back first. */
  private loadThenSend(
    task: SettledTask,
    message: SettledMessage,
    owner: Sender,
    watchers: ReadonlySet<Sender> | undefined,
  ): void {
    const where = (): Position | null => tell(this.ledger, task).source?.finish ?? null;
    if (where() === null) return this.enqueue({ ...message, fetch: false }, owner, watchers);
    if (this.loading >= LOADS_MAX) return this.enqueue(message, owner, watchers);
    this.loading++;
    this.values.loadMoving(where).then(
      (value) => {
        this.loading--;
        this.enqueue({ ...message, value, fetch: false }, owner, watchers);
        this.flush();
      },
      (error: unknown) => this.onFailed(error as Error),
    );
  }
}

/** Undefined where the value must be loaded first. */
function peekSource(source: SettledTask | null, values: ValueStore): Uint8Array | null | undefined {
  return source === null || source.finish === null ? null : values.peek(source.finish);
}

/** What a settled task takes in a message, rounded up. */
export function bytesOf(message: SettledMessage): number {
  return (
    ITEM_BYTES + (message.value?.length ?? 0) + (message.progress?.length ?? 0) + reasonBytes(message.reason)
  );
}

function reasonBytes(reason: Reason | null): number {
  if (reason === null) return 0;
  if (reason.type === "dependency_failed")
    return REASON_BYTES + reason.chain.length * LINK_BYTES + reasonBytes(reason.root);
  if (reason.type === "workers_lost") return REASON_BYTES + reason.losses.length * LINK_BYTES;
  if (reason.type === "cycle") return REASON_BYTES + reason.path.length * ID_BYTES;
  return REASON_BYTES + (reason.type === "cancelled" ? 4 * (reason.reason?.length ?? 0) : 0);
}

export function messageOf(
  task: SettledTask,
  reason: Reason | null,
  progress: Uint8Array | null,
  value: Uint8Array | null,
): SettledMessage {
  const tooLarge = value !== null && value.length > INLINE_DEPS_BYTES_MAX;
  const { id, name, outcome, attempt, tries } = task;
  return {
    id,
    name,
    outcome,
    attempt,
    tries,
    progress,
    value: tooLarge ? null : value,
    // Whoever asks for one that is gone is told so.
    fetch: tooLarge || isFreed(task),
    reason,
  };
}
