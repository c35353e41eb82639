/**
 * A coordinator: reads the log, folds it, stands for leader, and while it leads acts on what the fold says. It can be
 * killed at any instruction: the next one folds the same log.
 */
import {
  ClosedError,
  DefectError,
  decodeRecord,
  FOLD_VERSION,
  Identity,
  InstanceId,
  LogTooNewError,
  Namespace,
  type Sender,
  Subjects,
} from "@weft/protocol";
import {
  type Connection,
  type ConnectionOptions,
  closeConnection,
  openConnection,
  type SystemConnection,
} from "@weft/transport";
import { Ledger } from "../core/ledger/index.ts";
import { AskDesk } from "./ask-desk.ts";
import { ControlWriter } from "./control-writer.ts";
import { EventOutlet } from "./event-outlet.ts";
import { Leadership } from "./leadership.ts";
import { LogReader, type RawRecord } from "./log-reader.ts";
import { createNamespace, type NamespaceConfig, type NamespaceOptions, openNamespace } from "./namespace.ts";
import type { QueryContext } from "./queries.ts";
import { Term } from "./term.ts";
import { ValueStore } from "./value-store.ts";
import { VoidCounter } from "./void-counter.ts";
import { WorkerWatch } from "./worker-watch.ts";

export type CoordinatorOptions = ConnectionOptions & {
  /** @default WEFT_NAMESPACE, else "default" */
  readonly namespace?: string;
  /** The first token of this coordinator's name in subjects. @default "coordinator" */
  readonly identity?: string;
  /** Create the namespace where it does not exist, with these options. @default false */
  readonly create?: boolean | NamespaceOptions;
  /** One line for the log of the process. @default nothing is logged */
  readonly log?: (line: string) => void;
};

export class Coordinator {
  private readonly connection: Connection;
  private readonly subjects: Subjects;
  private readonly ledger: Ledger;
  private readonly values: ValueStore;
  private readonly events: EventOutlet;
  private readonly writer: ControlWriter;
  private readonly leadership: Leadership;
  private readonly reader: LogReader;
  private readonly watch: WorkerWatch;
  private readonly desk: AskDesk;
  private readonly voids: VoidCounter;
  private readonly log: (line: string) => void;
  private term: Term | null = null;
  private connected = true;
  private flushQueued = false;
  private stopping: Promise<void> | null = null;
  private failure: Error | null = null;
  private readonly caughtUp: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  private readonly elected: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  private readonly ended: PromiseWithResolvers<Error | null> = Promise.withResolvers<Error | null>();

  /** Opens the connection, folds the log up to its end, and stands by. */
  static async start(options: CoordinatorOptions = {}): Promise<Coordinator> {
    const namespace = Namespace.parse(options.namespace ?? process.env.WEFT_NAMESPACE ?? "default");
    const identity = Identity.parse(options.identity ?? "coordinator");
    const connection = await openConnection(identity, InstanceId.create(), options);
    const config = await configOf(connection, namespace, options.create ?? false);
    return Coordinator.open(connection, config, options.log ?? (() => undefined));
  }

  /** Stands by on a connection that is open; it is closed with the coordinator. */
  static async open(
    connection: Connection,
    config: NamespaceConfig,
    log: (line: string) => void,
  ): Promise<Coordinator> {
    const coordinator = new Coordinator(connection, config, log);
    try {
      await coordinator.begin();
    } catch (error) {
      await coordinator.stop();
      throw error;
    }
    return coordinator;
  }

  private constructor(connection: Connection, config: NamespaceConfig, log: (line: string) => void) {
    const { nats, clock, entropy } = connection;
    const subjects = new Subjects(config.namespace);
    const onFailed = (error: Error): void => this.fail(error);
    this.connection = connection;
    this.subjects = subjects;
    this.log = log;
    this.voids = new VoidCounter(log);
    const onVoid = (kind: string): void => this.voids.count(kind);
    this.ledger = new Ledger({ partition: 0, secret: config.secret });
    this.values = new ValueStore(connection, subjects);
    this.events = new EventOutlet(connection, subjects);
    const lastControlSeq = (): number => this.ledger.lastControlSeq;
    this.writer = new ControlWriter({ connection, subjects, secret: config.secret, lastControlSeq });
    this.leadership = new Leadership({
      clock,
      entropy,
      ledger: this.ledger,
      writer: this.writer,
      isConnected: () => this.connected,
      onElected: (epoch) => this.lead(epoch),
      onDeposed: () => this.follow(),
      onFailed,
    });
    this.reader = new LogReader({
      connection,
      stream: connection.stream(config.stream),
      onRecord: (record) => this.guarded(`record ${record.seq}`, () => this.fold(record)),
      onCaughtUp: () => this.caughtUp.resolve(),
      onFailed,
    });
    this.watch = new WorkerWatch({
      connection,
      subjects,
      onPresence: (worker, presence) =>
        this.guarded(`presence of ${worker}`, () => this.term?.presence(worker, presence)),
      onBlocked: (worker, blockedMs) =>
        this.guarded(`the block of ${worker}`, () => this.term?.blocked(worker, blockedMs)),
      onLost: (worker, why) => this.guarded(`the loss of ${worker}`, () => this.term?.lost(worker, why)),
      onVoid,
    });
    this.desk = new AskDesk({ nats, subjects, context: () => this.queryContext(), onVoid });
  }

  /** Whether this coordinator leads. */
  get leading(): boolean {
    return this.term !== null;
  }

  get name(): string {
    return this.connection.sender;
  }

  /** Resolves when it leads for the first time. */
  async untilLeading(): Promise<void> {
    await this.elected.promise;
  }

  /** Resolves when it has ended: with the error that made it stop, or null after `stop`. */
  async untilEnded(): Promise<Error | null> {
    return this.ended.promise;
  }

  /** Resigns if it leads, and closes its connection. */
  stop(): Promise<void> {
    this.stopping ??= this.shutDown(null);
    return this.stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private async begin(): Promise<void> {
    this.followConnection().catch((error: unknown) => this.fail(error as Error));
    await this.reader.start(0);
    await Promise.race([this.caughtUp.promise, this.ended.promise]);
    if (this.failure !== null) throw this.failure;
    this.leadership.start();
    this.log(`coordinator ${this.connection.sender} has folded ${this.ledger.seq} records and stands by`);
  }

  private async followConnection(): Promise<void> {
    for await (const status of this.connection.nats.status()) {
      if (status.type === "disconnect") {
        this.connected = false;
        this.watch.disconnected();
        this.log("the connection to NATS is lost; reconnecting");
      } else if (status.type === "reconnect") {
        this.connected = true;
        this.watch.reconnected();
        this.leadership.reconnected();
        this.reader.reopen();
        this.log(`connected to NATS again at ${status.server}`);
      } else if (status.type === "error") this.log(`NATS reports: ${status.error.message}`);
    }
    if (this.stopping === null) this.fail(new ClosedError("the connection to NATS"));
  }

  private fold(raw: RawRecord): void {
    const subject = this.subjects.parseLog(0, raw.subject);
    if (subject === null) return this.voids.count("a subject that is none of ours");
    const read = decodeRecord(subject.kind, raw.data);
    const record = read.ok ? read.value : null;
    if (!read.ok) this.voids.count(`${subject.kind} record: ${read.kind}`);
    const effects = this.ledger.apply({ seq: raw.seq, stampMs: raw.stampMs, subject, record });
    if (this.ledger.foldVersion > FOLD_VERSION)
      return this.fail(new LogTooNewError(this.ledger.foldVersion, FOLD_VERSION));
    if (record !== null) this.values.remember(raw.seq, record, raw.data.length);
    for (const effect of effects) if (effect.type === "void") this.voids.count(effect.why);
    this.term?.act(effects);
    if (record?.type === "control") {
      this.writer.folded(record);
      this.leadership.folded(record);
    }
    this.queueFlush();
  }

  /** A throw here is a defect of ours: this coordinator stops and says where, another goes on. */
  private guarded(what: string, act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.fail(new DefectError(`the coordinator failed at ${what}: ${String(cause)}`, { cause }));
    }
  }

  private queueFlush(): void {
    if (this.flushQueued) return;
    this.flushQueued = true;
    queueMicrotask(() => {
      this.flushQueued = false;
      this.guarded("sending", () => {
        this.term?.flush();
        this.desk.folded();
      });
    });
  }

  private lead(epoch: number): void {
    const expected = new Set([...this.watch.known()].map(([worker]) => worker));
    this.term?.close();
    this.term = new Term({
      connection: this.connection,
      subjects: this.subjects,
      ledger: this.ledger,
      values: this.values,
      events: this.events,
      epoch,
      self: this.connection.sender,
      expected,
      reportLost: (attempts) => {
        if (attempts.length > 0) this.leadership.reportLost(attempts);
      },
      guarded: (what, act) => this.guarded(what, act),
      onFailed: (error) => this.fail(error),
    });
    this.elected.resolve();
    this.log(`coordinator ${this.connection.sender} leads from record ${epoch}`);
  }

  private follow(): void {
    this.term?.close();
    this.term = null;
    this.log(`coordinator ${this.connection.sender} is deposed and stands by`);
  }

  private queryContext(): QueryContext | null {
    const { term, ledger, values } = this;
    if (term === null) return null;
    const lastSeenMsAgo = (worker: Sender): number => this.watch.lastSeenMsAgo(worker);
    const isBlocked = (worker: Sender): boolean => this.watch.isBlocked(worker);
    return {
      ledger,
      values,
      term,
      self: this.connection.sender,
      lastSeenMsAgo,
      isBlocked,
      voided: () => this.voids.all(),
    };
  }

  private fail(error: Error): void {
    if (this.stopping !== null) return;
    this.failure = error;
    this.log(`coordinator ${this.connection.sender} stops: ${error.message}`);
    this.stopping = this.shutDown(error);
    this.stopping.catch((second: unknown) => this.log(`closing failed too: ${String(second)}`));
  }

  private async shutDown(why: Error | null): Promise<void> {
    const epoch = this.ledger.epoch;
    const led = this.term !== null;
    if (why === null) await this.leadership.resign();
    else this.leadership.stop();
    this.term?.close();
    this.term = null;
    this.reader.close();
    this.watch.close();
    this.desk.close();
    if (led) this.events.coordinator("resigned", this.connection.sender, epoch);
    this.events.flush();
    await closeConnection(this.connection);
    this.ended.resolve(why);
  }
}

async function configOf(
  connection: SystemConnection,
  namespace: Namespace,
  create: boolean | NamespaceOptions,
): Promise<NamespaceConfig> {
  try {
    if (create === false) return await openNamespace(connection.nats, namespace);
    return await createNamespace(connection.nats, namespace, create === true ? {} : create);
  } catch (error) {
    await closeConnection(connection);
    throw error;
  }
}
