/**
 * Follows tasks until they settle. The leader pushes outcomes in numbered batches; whatever may have been lost (a gap, a
 * new leader, a reconnect, silence) is asked for, and what has been open for long is asked for now and then, whatever
 * was heard. So every handle settles once the cluster is whole again (I8).
 */
import {
  ASK_IDS_MAX,
  decodeClientMessage,
  decodeHello,
  NoLeaderError,
  ResultExpiredError,
  type SettledTask,
  type StateAnswer,
  type Subjects,
  type TaskId,
  TaskTable,
  UnknownTaskError,
} from "@weft/protocol";
import { ask, type Clock, type Connection, HoldUp, type Timer } from "@weft/transport";

/** What is followed. */
export type Followed = {
  readonly id: TaskId;
  /** The log has it. */
  readonly isAccepted: boolean;
  /** The follower's own note: how many of its watches there had been when this was opened. */
  watchesBefore: number;
  ended(task: SettledTask): void;
  /** It has ended, and its value is not kept any more. */
  unreadable(task: SettledTask, error: Error): void;
  unknown(error: UnknownTaskError | ResultExpiredError): void;
};

export type FollowerOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  /** The leader asks for no new tasks for a while. */
  readonly onHold: () => void;
  readonly onError: (error: Error) => void;
};

const SILENCE_MAX_MS = 3_000;
const WATCH_MS = 500;
const WATCH_LATE_MS = 2 * WATCH_MS;
/** A task that has been open for so long is asked for, some of them at a time. */
const OLD_MS = 5_000;
const UNKNOWN_WAIT_MS = 60_000;
const VALUE_TIMEOUT_MS = 30_000;

export class Follower<Task extends Followed = Followed> {
  private readonly options: FollowerOptions;
  private readonly open = new TaskTable<Task>();
  private readonly fetching = new Set<TaskId>();
  private readonly clock: Clock;
  private readonly holdUp = new HoldUp(WATCH_LATE_MS);
  /** While anything is open. */
  private timer: Timer | null = null;
  private epoch = 0;
  private seen = 0;
  private lastHeardMs: number;
  /** The highest sequence that the log has acknowledged to this client. */
  afterSeq = 0;
  private asking = false;
  private sweptAtMs: number;
  /** The clock by which a task is old: a small number is part of the task, where a moment is an object beside it. */
  private watches = 0;
  private askAgain = false;
  /** Since when the leader does not know a task. */
  private readonly unknownSinceMs = new Map<TaskId, number>();
  private closed = false;

  constructor(options: FollowerOptions) {
    this.options = options;
    const { connection, subjects } = options;
    this.clock = connection.clock;
    this.lastHeardMs = this.clock.nowMs();
    this.sweptAtMs = this.lastHeardMs;
    connection.nats.subscribe(subjects.client(connection.sender), {
      callback: (error, message) => {
        if (error === null) this.onMessage(message.data);
      },
    });
    connection.nats.subscribe(subjects.helloAll(), {
      callback: (error, message) => {
        if (error === null) this.onHello(message.data);
      },
    });
  }

  get size(): number {
    return this.open.size;
  }

  get(id: TaskId): Task | undefined {
    return this.open.get(id);
  }

  /** Follows a task of this client. */
  add(task: Task): void {
    if (this.open.size === 0) this.lastHeardMs = this.clock.nowMs();
    this.follow(task);
  }

  /** It was not submitted after all. */
  drop(id: TaskId): void {
    this.forget(id);
  }

  /** All that are followed. */
  get tasks(): Iterable<Task> {
    return this.open;
  }

  /** Follows a task that is known by its id only. */
  attach(task: Task): void {
    this.follow(task);
    this.ask();
  }

  /** The log has acknowledged something of this client at that sequence. */
  acknowledged(seq: number): void {
    this.afterSeq = Math.max(this.afterSeq, seq);
  }

  /** Something may have been missed: asks for everything that is open. */
  ask(): void {
    if (this.asking) {
      this.askAgain = true;
      return;
    }
    if (this.closed || this.open.size === 0) return;
    const ids: TaskId[] = [];
    for (const task of this.open) if (task.isAccepted) ids.push(task.id);
    this.askFor(ids);
  }

  private askFor(ids: TaskId[]): void {
    this.asking = true;
    this.askStates(ids)
      .catch((error: unknown) => {
        // Nobody leads for now: the watch asks again.
        if (!(error instanceof NoLeaderError) && !this.closed) this.options.onError(error as Error);
      })
      .finally(() => {
        this.asking = false;
        this.lastHeardMs = this.clock.nowMs();
        if (!this.askAgain) return;
        this.askAgain = false;
        this.ask();
      });
  }

  close(): void {
    this.closed = true;
    this.rest();
    this.open.clear();
  }

  private follow(task: Task): void {
    task.watchesBefore = this.watches;
    this.open.add(task);
    if (this.timer !== null) return;
    this.holdUp.begin(this.clock.nowMs());
    this.timer = this.clock.every(WATCH_MS, () => this.watch(), { background: true });
  }

  /** A client that waits for nothing is not woken. */
  private rest(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private watch(): void {
    this.watches++;
    if (this.open.size === 0) return this.rest();
    const nowMs = this.clock.nowMs();
    if (this.holdUp.precedes(nowMs)) return;
    const silent = nowMs - this.lastHeardMs > SILENCE_MAX_MS;
    if (silent || this.unknownSinceMs.size > 0) this.ask();
    else if (!this.asking && nowMs - this.sweptAtMs >= OLD_MS) this.sweep();
  }

  /** A word may be lost where nothing shows it, as of a task whose acceptance was not known yet. */
  private sweep(): void {
    this.sweptAtMs = this.clock.nowMs();
    const old = this.open.inTurn(ASK_IDS_MAX).filter((open) => open.isAccepted && this.isOld(open));
    if (old.length > 0) this.askFor(old.map(({ id }) => id));
  }

  private isOld({ watchesBefore }: Task): boolean {
    // The first watch may have come right after it.
    return (this.watches - watchesBefore - 1) * WATCH_MS >= OLD_MS;
  }

  private onHello(data: Uint8Array): void {
    const read = decodeHello(data);
    if (!read.ok) return;
    if (read.value.hold && read.value.epoch >= this.epoch) this.options.onHold();
    if (read.value.epoch <= this.epoch) return;
    this.epoch = read.value.epoch;
    this.seen = 0;
    this.ask();
  }

  private onMessage(data: Uint8Array): void {
    const read = decodeClientMessage(data);
    if (!read.ok) return;
    const { epoch, number, settled } = read.value;
    // An outcome never changes, so it is taken from any leader; only the numbers belong to an epoch.
    for (const task of settled) this.settle(task);
    // A lower epoch counts once the newer leader has been silent: the log may have been made anew.
    const isSilent = this.clock.nowMs() - this.lastHeardMs > SILENCE_MAX_MS;
    if (epoch < this.epoch && !isSilent) return;
    this.lastHeardMs = this.clock.nowMs();
    const expected = settled.length === 0 ? this.seen : this.seen + 1;
    // The first word of any leader is a surprise, too: nothing says what came before it.
    const surprise = epoch !== this.epoch || number !== expected;
    this.epoch = epoch;
    this.seen = number;
    if (surprise) this.ask();
  }

  private settle(task: SettledTask): void {
    if (!task.fetch) this.forget(task.id)?.ended(task);
    else if (this.open.has(task.id)) this.beginFetch(task);
  }

  /** Who was followed. */
  private forget(id: TaskId): Task | undefined {
    if (this.unknownSinceMs.size > 0) this.unknownSinceMs.delete(id);
    return this.open.delete(id);
  }

  /** One that could not be had, as for want of a leader, is tried again when its task is told of again. */
  private beginFetch(task: SettledTask): void {
    if (this.fetching.has(task.id)) return;
    this.fetching.add(task.id);
    this.fetch(task)
      .catch((error: unknown) => {
        if (!this.closed) this.options.onError(error as Error);
      })
      .finally(() => this.fetching.delete(task.id));
  }

  /** A value that was too large to be pushed. */
  private async fetch(task: SettledTask): Promise<void> {
    try {
      this.settle({ ...task, value: await this.askValue(task.id), fetch: false });
    } catch (error) {
      if (!(error instanceof ResultExpiredError)) throw error;
      this.forget(task.id)?.unreadable(task, error);
    }
  }

  private async askValue(id: TaskId): Promise<Uint8Array | null> {
    const { connection, subjects } = this.options;
    const options = { afterSeq: this.afterSeq, timeoutMs: VALUE_TIMEOUT_MS };
    const { values } = await ask(connection, subjects, { type: "values", ids: [id] }, options);
    return values[0] ?? null;
  }

  private async askStates(wanted: TaskId[]): Promise<void> {
    const { connection, subjects } = this.options;
    let ids = wanted;
    while (ids.length > 0 && !this.closed) {
      const question = { type: "states", ids: ids.slice(0, ASK_IDS_MAX), watch: true } as const;
      const { states } = await ask(connection, subjects, question, { afterSeq: this.afterSeq });
      for (const state of states) this.onState(state);
      if (states.length === 0) return;
      ids = ids.slice(states.length);
    }
  }

  private onState(answer: StateAnswer): void {
    if (answer.type === "settled") return this.settle(answer.task);
    const open = this.open.get(answer.id);
    if (open === undefined) return;
    const { id } = answer;
    if (answer.type === "live") {
      this.unknownSinceMs.delete(id);
      return;
    }
    const nowMs = this.clock.nowMs();
    const sinceMs = this.unknownSinceMs.get(id) ?? nowMs;
    this.unknownSinceMs.set(id, sinceMs);
    const { expired } = answer;
    if (expired !== "yes" && nowMs - sinceMs < UNKNOWN_WAIT_MS) return;
    this.forget(id);
    open.unknown(expired === "no" ? new UnknownTaskError(id) : new ResultExpiredError(id));
  }
}
