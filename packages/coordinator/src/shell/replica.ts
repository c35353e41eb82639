/**
 * One fold of the log and everything that hangs on it: leadership, the term while it leads, what is known of workers, the
 * questions. Where the log turns out to be another than the one that was folded it is thrown away whole, and the
 * coordinator begins a new one.
 */
import {
  type CoordinatorReport,
  DefectError,
  type LedgerSettings,
  type Sender,
  type Subjects,
  WeftError,
} from "@weft/protocol";
import { AwakeTime, type Connection, Pace } from "@weft/transport";
import { type Ledger, oldestNeededSeq } from "../core/ledger/index.ts";
import { AskDesk } from "./ask-desk.ts";
import { BlobCollector, type CollectorSettings } from "./blob-collector.ts";
import { BlobStore } from "./blob-store.ts";
import { CheckpointDesk } from "./checkpoint-desk.ts";
import { CheckpointStore } from "./checkpoint-store.ts";
import { Checkpointer } from "./checkpointer.ts";
import type { ControlWriter } from "./control-writer.ts";
import { CoordinatorWatch, type OwnState } from "./coordinator-watch.ts";
import type { EventOutlet } from "./event-outlet.ts";
import { LeaderProbe } from "./leader-probe.ts";
import { Leadership } from "./leadership.ts";
import type { SettingsFor } from "./ledger-settings.ts";
import { LogFold } from "./log-fold.ts";
import { LogKeeper } from "./log-keeper.ts";
import { LogReader, type RawRecord } from "./log-reader.ts";
import type { LogRoom } from "./log-room.ts";
import type { UpkeepSettings } from "./log-upkeep.ts";
import type { NamespaceConfig } from "./namespace.ts";
import type { QueryContext } from "./queries.ts";
import type { StartPoint } from "./start-point.ts";
import { Term } from "./term.ts";
import { UntoldLosses } from "./untold-losses.ts";
import { RecordPurgedError, ValueStore } from "./value-store.ts";
import type { VoidCounter } from "./void-counter.ts";
import { WorkerWatch } from "./worker-watch.ts";

export type ReplicaOptions = {
  readonly connection: Connection;
  readonly config: NamespaceConfig;
  readonly subjects: Subjects;
  /** Where it begins. */
  readonly start: StartPoint;
  readonly settings: UpkeepSettings;
  /** What all folds hold to while this one leads. */
  readonly settingsFor: SettingsFor;
  readonly collecting: CollectorSettings;
  readonly writer: ControlWriter;
  readonly room: LogRoom;
  readonly events: EventOutlet;
  readonly voids: VoidCounter;
  readonly log: (line: string) => void;
  /** The newest rules that this code folds by. */
  readonly foldVersion: number;
  readonly onElected: () => void;
  readonly onFailed: (error: Error) => void;
};

export class Replica {
  readonly ledger: Ledger;
  private readonly options: ReplicaOptions;
  private readonly logFold: LogFold;
  private readonly values: ValueStore;
  private readonly blobs: BlobStore;
  private readonly leadership: Leadership;
  private readonly leaderProbe: LeaderProbe;
  private readonly reader: LogReader;
  private readonly watch: WorkerWatch;
  readonly pace: Pace;
  private readonly awake: AwakeTime;
  /** Everybody who could lead, or write a checkpoint. */
  readonly coordinators: CoordinatorWatch;
  private readonly desk: AskDesk;
  private readonly store: CheckpointStore;
  private readonly checkpointer: Checkpointer;
  private readonly checkpoints: CheckpointDesk;
  private readonly untold: UntoldLosses;
  private ledgerSettings: LedgerSettings;
  private term: Term | null = null;
  private keeper: LogKeeper | null = null;
  private collector: BlobCollector | null = null;
  private connected = true;
  private flushQueued = false;
  /** Records were folded that do not tell of the leader. */
  private advanced = false;
  private closed = false;
  /** Records that were to be read and have been purged. */
  private missing: { readonly error: RecordPurgedError; readonly judgeAtSeq: number }[] = [];
  private readonly caughtUp: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(options: ReplicaOptions) {
    const { connection, subjects, config, start, voids, foldVersion } = options;
    const { ledger, skipped } = start;
    const { nats, clock, entropy } = connection;
    const onFailed = (error: Error): void => this.fail(error);
    const onVoid = (kind: string): void => voids.count(kind);
    this.options = options;
    this.ledgerSettings = options.settingsFor(config);
    this.ledger = ledger;
    this.logFold = new LogFold({ ledger, subjects, skipped, foldVersion, onVoid });
    this.values = new ValueStore(connection, subjects);
    this.blobs = new BlobStore(connection, subjects);
    this.coordinators = new CoordinatorWatch({ connection, subjects, own: () => this.ownState(), onVoid });
    const pace = new Pace({ clock, isBusy: () => ledger.live.size > 0 });
    const awake = new AwakeTime({ clock, pace, hears: () => this.connected && this.coordinators.isHeard() });
    this.pace = pace;
    this.awake = awake;
    this.untold = new UntoldLosses(awake);
    const leaderOf = (epoch: number): Sender | null => this.coordinators.leaderOf(epoch);
    this.leaderProbe = new LeaderProbe({ connection, subjects, awake, leaderOf });
    this.leadership = new Leadership({
      clock,
      awake,
      pace,
      isLeaderHeard: (epoch) => this.coordinators.isLeaderHeard(epoch),
      isLeaderGone: (epoch) => this.leaderProbe.isGone(epoch),
      foldVersionOfAll: () => this.coordinators.foldVersionOfAll(),
      entropy,
      ledger,
      writer: options.writer,
      settings: () => this.ledgerSettings,
      isConnected: () => this.connected,
      onElected: (epoch) => this.lead(epoch),
      onDeposed: () => this.follow(),
      onFailed,
    });
    this.reader = new LogReader({
      connection,
      stream: connection.stream(config.stream),
      pace,
      onRecord: (record) => this.guarded(`record ${record.seq}`, () => this.fold(record)),
      onCaughtUp: () => this.caughtUp.resolve(),
      onQuiet: () => this.leadership.advanced(),
      onFailed,
    });
    this.watch = new WorkerWatch({
      connection,
      subjects,
      awake,
      pace,
      onPresence: (worker, presence, check) =>
        this.guarded(`presence of ${worker}`, () => {
          if (this.term?.presence(worker, presence) === true) check?.();
        }),
      onOverdue: (worker) => this.term?.overdue(worker),
      onBlocked: (worker, answer) =>
        this.guarded(`the block of ${worker}`, () => this.term?.blocked(worker, answer)),
      onLost: (worker, why, last) =>
        this.guarded(`the loss of ${worker}`, () => {
          if (this.term === null) this.untold.add({ worker, why, last });
          else this.term.lost(worker, why, last);
        }),
      onVoid,
    });
    this.desk = new AskDesk({ nats, subjects, context: () => this.queryContext(), onVoid });
    this.store = new CheckpointStore({ connection, subjects, secret: config.secret });
    this.checkpointer = new Checkpointer({ clock, ledger, reader: this.reader, store: this.store });
    this.checkpoints = new CheckpointDesk({
      connection,
      subjects,
      checkpointer: this.checkpointer,
      isStandbyAt: (seq) => this.term === null && this.connected && ledger.seq >= seq,
      onVoid,
      log: options.log,
    });
  }

  get leading(): boolean {
    return this.term !== null;
  }

  /** Whether it was thrown away. */
  get isClosed(): boolean {
    return this.closed;
  }

  /** Reads what the log holds behind the ledger. Resolves at its end. */
  async catchUp(): Promise<void> {
    try {
      await this.reader.start(this.options.start.point);
    } catch (error) {
      return this.fail(error as Error);
    }
    await this.caughtUp.promise;
  }

  /** From now on it stands where nobody leads. */
  standBy(): void {
    if (this.closed) return;
    this.coordinators.start(this.awake);
    this.leadership.start();
  }

  disconnected(): void {
    this.connected = false;
  }

  reconnected(): void {
    this.connected = true;
    this.coordinators.reconnected();
    this.watch.reconnected();
    this.leaderProbe.reconnected();
    this.leadership.reconnected();
    this.reader.reopen();
  }

  /** Hands over on purpose. */
  async resign(): Promise<void> {
    await this.leadership.resign();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.leadership.stop();
    this.resigned();
    this.reader.close();
    this.watch.close();
    this.leaderProbe.close();
    this.coordinators.leave();
    this.awake.close();
    this.pace.close();
    this.desk.close();
    this.checkpoints.close();
    this.checkpointer.close();
    this.caughtUp.resolve();
  }

  private fold(raw: RawRecord): void {
    const { record, effects } = this.logFold.apply(raw);
    if (record !== null) this.values.folded(raw.seq, record, effects);
    this.term?.act(effects);
    if (record?.type === "control") {
      this.options.writer.folded(record);
      this.leaderProbe.heard();
      this.leadership.folded();
      // Whoever leads has found out about the same workers by itself.
      if (this.term === null) this.untold.leaderActed();
    } else this.advanced = true;
    if (this.missing.length > 0) this.judgeMissing();
    this.queueFlush();
  }

  /** A throw here is a defect of ours: this coordinator stops and says where, another goes on. */
  private guarded(what: string, act: () => void): void {
    if (this.closed) return;
    try {
      act();
    } catch (cause) {
      if (cause instanceof WeftError) return this.fail(cause);
      this.fail(new DefectError(`the coordinator failed at ${what}: ${String(cause)}`, { cause }));
    }
  }

  private fail(error: Error): void {
    if (this.closed) return;
    this.close();
    this.options.onFailed(error);
  }

  private queueFlush(): void {
    if (this.flushQueued) return;
    this.flushQueued = true;
    queueMicrotask(() => {
      this.flushQueued = false;
      this.guarded("sending", () => {
        this.term?.flush();
        if (this.advanced) this.leadership.advanced();
        this.advanced = false;
        this.pace.advanced();
        this.desk.folded();
      });
    });
  }

  private lead(epoch: number): void {
    const { connection, subjects, events, log, onElected } = this.options;
    const expected = new Map(this.watch.known());
    this.watch.tellAgain();
    this.endTerm();
    this.term = new Term({
      connection,
      subjects,
      ledger: this.ledger,
      values: this.values,
      events,
      epoch,
      self: connection.sender,
      expected,
      expectsAll: this.watch.knowsAll,
      reportLost: (attempts) => {
        if (attempts.length > 0) this.leadership.reportLost(attempts);
      },
      reportExpired: (attempts) => {
        if (attempts.length > 0) this.leadership.reportExpired(attempts);
      },
      guarded: (what, act) => this.guarded(what, act),
      onFailed: (error) => this.onTermFailed(error),
    });
    for (const { worker, why, last } of this.untold.take()) this.term.lost(worker, why, last);
    const { config, settings, room } = this.options;
    const { ledger, store, checkpointer } = this;
    const onTight = (): void => this.term?.hello(true);
    this.keeper = new LogKeeper({
      connection,
      config,
      subjects,
      ledger,
      settings,
      room,
      values: this.values,
      carry: (carried) => this.leadership.carry(carried),
      checkpointer,
      store,
      onTight,
      onLimit: (logBytesMax) => {
        this.ledgerSettings = this.options.settingsFor({ logBytesMax });
      },
      log,
    });
    this.collector = new BlobCollector({
      connection,
      subjects,
      ledger,
      settings: this.options.collecting,
      log,
    });
    this.coordinators.announce();
    log(`coordinator ${connection.sender} leads from record ${epoch}`);
    onElected();
  }

  /** A leader that was frozen, and does not know yet that others went on, asks for what these have purged. */
  private onTermFailed(error: Error): void {
    if (!(error instanceof RecordPurgedError)) return this.fail(error);
    const { connection, config } = this.options;
    connection
      .stream(config.stream)
      .info()
      .then(({ lastSeq }) => this.missing.push({ error, judgeAtSeq: lastSeq }))
      .catch(() => this.fail(error));
  }

  /** What is still needed, by a fold that has come as far as the log went when the record was missed, is lost. */
  private judgeMissing(): void {
    const due = this.missing.filter(({ judgeAtSeq }) => judgeAtSeq <= this.ledger.seq);
    if (due.length === 0) return;
    this.missing = this.missing.filter((each) => !due.includes(each));
    for (const { error } of due) if (oldestNeededSeq(this.ledger) <= error.seq) this.fail(error);
  }

  private follow(): void {
    if (this.leadership.role === "stopped") return this.resigned();
    this.endTerm();
    this.coordinators.announce();
    this.options.log(`coordinator ${this.options.connection.sender} is deposed and stands by`);
  }

  /** It led until now, and is stopping. */
  private resigned(): void {
    if (this.term === null) return;
    this.options.events.coordinator("resigned", this.options.connection.sender, this.term.epoch);
    this.endTerm();
  }

  private endTerm(): void {
    this.term?.close();
    this.term = null;
    this.keeper?.close();
    this.keeper = null;
    this.collector?.close();
    this.collector = null;
  }

  private ownState(): OwnState {
    const { role } = this.leadership;
    const { epoch, seq: foldedSeq } = this.ledger;
    const { foldVersion } = this.options;
    return { state: role === "stopped" ? "following" : role, epoch, foldVersion, foldedSeq };
  }

  private queryContext(): QueryContext | null {
    const { term, ledger, values, blobs } = this;
    if (term === null) return null;
    const lastSeenMsAgo = (worker: Sender): number => this.watch.lastSeenMsAgo(worker);
    const isBlocked = (worker: Sender): boolean => this.watch.isBlocked(worker);
    const self = this.options.connection.sender;
    const voided = (): Readonly<Record<string, number>> => this.options.voids.all();
    const coordinators = (): readonly CoordinatorReport[] => this.coordinators.reports();
    return { ledger, values, blobs, term, self, lastSeenMsAgo, isBlocked, coordinators, voided };
  }
}
