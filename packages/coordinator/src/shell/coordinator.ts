/**
 * A coordinator: reads the log, folds it, stands for leader, and while it leads acts on what the fold says. It can be
 * killed at any instruction: the next one folds the same log.
 */
import {
  ClosedError,
  FOLD_VERSION,
  Identity,
  InstanceId,
  LogGapError,
  LogTailLostError,
  Namespace,
  Subjects,
} from "@weft/protocol";
import {
  type Connection,
  type ConnectionOptions,
  closeConnection,
  commonClock,
  openConnection,
  type SystemConnection,
} from "@weft/transport";
import type { CollectorSettings } from "./blob-collector.ts";
import { ControlWriter } from "./control-writer.ts";
import { EventOutlet } from "./event-outlet.ts";
import { whenJetStreamIsBack } from "./jetstream-away.ts";
import { TICK_MS } from "./leadership.ts";
import { ledgerSettings, type RetentionOptions, type SettingsFor } from "./ledger-settings.ts";
import { LogRoom } from "./log-room.ts";
import type { UpkeepSettings } from "./log-upkeep.ts";
import {
  completeNamespace,
  createNamespace,
  type NamespaceConfig,
  type NamespaceOptions,
  openNamespace,
} from "./namespace.ts";
import { Replica } from "./replica.ts";
import { findStart } from "./start-point.ts";
import { VoidCounter } from "./void-counter.ts";

export type CoordinatorOptions = ConnectionOptions & {
  /** @default WEFT_NAMESPACE, else "default" */
  readonly namespace?: string;
  /** The first token of this coordinator's name in subjects. @default "coordinator" */
  readonly identity?: string;
  /** Create the namespace where it does not exist, with these options. @default false */
  readonly create?: boolean | NamespaceOptions;
  /** When checkpoints are written. */
  readonly checkpoints?: CheckpointOptions;
  /** How long settled tasks are kept. While this coordinator leads, all hold to what it was started with. */
  readonly retention?: RetentionOptions;
  /** When large values that no task needs are removed. */
  readonly largeValues?: LargeValueOptions;
  /** One line for the log of the process. @default nothing is logged */
  readonly log?: (line: string) => void;
};

type CheckpointOptions = {
  /** A checkpoint is written when the log behind the last one has more bytes than this and than the state. @default 64 MiB */
  readonly bytesMin?: number;
  /** And not sooner than this after the one before, in milliseconds, unless the log has too little room for that. @default 10000 */
  readonly ageMinMs?: number;
  /** A checkpoint is written after this time at the latest. @default 300000 */
  readonly ageMaxMs?: number;
};

type LargeValueOptions = {
  /** What no task needs is kept for so long, in milliseconds: its record may be on its way. @default 86400000 */
  readonly unneededMs?: number;
  /** How often they are looked at, in milliseconds. @default 600000 */
  readonly everyMs?: number;
};

const UNNEEDED_MS = 24 * 3_600_000;
const COLLECT_EVERY_MS = 600_000;
const CHECKPOINT_BYTES_MIN = 64 * 1024 ** 2;
const CHECKPOINT_AGE_MIN_MS = 10_000;
const CHECKPOINT_AGE_MAX_MS = 300_000;

/** What a coordinator is given where it does not run on its own. */
type CoordinatorParts = {
  readonly log: (line: string) => void;
  readonly checkpoints?: CheckpointOptions;
  /** @default the defaults of `RetentionOptions` */
  readonly settings?: SettingsFor;
  readonly largeValues?: LargeValueOptions;
  /** The newest rules by which it folds. @default FOLD_VERSION */
  readonly foldVersion?: number;
};

export class Coordinator {
  private readonly connection: Connection;
  private readonly config: NamespaceConfig;
  private readonly subjects: Subjects;
  private readonly events: EventOutlet;
  private readonly writer: ControlWriter;
  private readonly room: LogRoom;
  private readonly voids: VoidCounter;
  private readonly settings: UpkeepSettings;
  private readonly settingsFor: SettingsFor;
  private readonly collecting: CollectorSettings;
  private readonly foldVersion: number;
  private readonly log: (line: string) => void;
  /** Null before it begins. */
  private replica: Replica | null = null;
  /** The hole in the log at which the last replica was thrown away. */
  private gapAt = 0;
  private connected = true;
  private stopping: Promise<void> | null = null;
  private failure: Error | null = null;
  private readonly elected: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  private readonly ended: PromiseWithResolvers<Error | null> = Promise.withResolvers<Error | null>();

  /** Opens the connection, folds the log up to its end, and stands by. */
  static async start(options: CoordinatorOptions = {}): Promise<Coordinator> {
    const namespace = Namespace.parse(options.namespace ?? process.env.WEFT_NAMESPACE ?? "default");
    const identity = Identity.parse(options.identity ?? "coordinator");
    const log = options.log ?? (() => undefined);
    // What is wrong with it is told before anything is sent.
    const settingsFor = ledgerSettings(options.retention ?? {});
    const connection = await openConnection(identity, InstanceId.create(), options, commonClock);
    const config = await configOf(connection, namespace, options.create ?? false, log);
    return Coordinator.open(connection, config, {
      log,
      settings: settingsFor,
      ...(options.checkpoints === undefined ? {} : { checkpoints: options.checkpoints }),
      ...(options.largeValues === undefined ? {} : { largeValues: options.largeValues }),
    });
  }

  /** Stands by on a connection that is open; it is closed with the coordinator. */
  static async open(
    connection: Connection,
    config: NamespaceConfig,
    parts: CoordinatorParts,
  ): Promise<Coordinator> {
    const coordinator = new Coordinator(connection, config, parts);
    try {
      await coordinator.begin();
    } catch (error) {
      await coordinator.stop();
      throw error;
    }
    return coordinator;
  }

  private constructor(connection: Connection, config: NamespaceConfig, parts: CoordinatorParts) {
    const { log, checkpoints, largeValues } = parts;
    const subjects = new Subjects(config.namespace);
    this.connection = connection;
    this.config = config;
    this.foldVersion = parts.foldVersion ?? FOLD_VERSION;
    this.subjects = subjects;
    this.log = log;
    this.settings = {
      checkpointBytesMin: checkpoints?.bytesMin ?? CHECKPOINT_BYTES_MIN,
      checkpointAgeMinMs: checkpoints?.ageMinMs ?? CHECKPOINT_AGE_MIN_MS,
      checkpointAgeMaxMs: checkpoints?.ageMaxMs ?? CHECKPOINT_AGE_MAX_MS,
      purgeAgeMinMs: config.purgeAgeMs,
    };
    this.settingsFor = parts.settings ?? ledgerSettings({});
    this.collecting = {
      ageMinMs: largeValues?.unneededMs ?? UNNEEDED_MS,
      everyMs: largeValues?.everyMs ?? COLLECT_EVERY_MS,
    };
    this.voids = new VoidCounter(log);
    this.events = new EventOutlet(connection, subjects);
    const lastControlSeq = (): number => this.replica?.ledger.lastControlSeq ?? 0;
    const foldVersion = (): number => this.replica?.ledger.foldVersion || this.foldVersion;
    this.writer = new ControlWriter({
      connection,
      subjects,
      secret: config.secret,
      lastControlSeq,
      foldVersion,
      tickTimeoutMs: () => this.replica?.pace.periodMs ?? TICK_MS,
      onFull: () => this.room.raise(),
    });
    this.room = new LogRoom(connection.stream(config.stream), log);
  }

  /** Whether this coordinator leads. */
  get leading(): boolean {
    return this.replica?.leading ?? false;
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
    await this.beginReplica();
    if (this.failure !== null) throw this.failure;
  }

  /** Loads the state and folds the log behind it up to its end. */
  private async beginReplica(): Promise<void> {
    const { connection, config, subjects, writer, events, voids, log } = this;
    const start = await findStart({ connection, config, subjects, log });
    if (this.stopping !== null) return;
    const replica = new Replica({
      connection,
      config,
      subjects,
      start,
      settings: this.settings,
      settingsFor: this.settingsFor,
      collecting: this.collecting,
      foldVersion: this.foldVersion,
      writer,
      room: this.room,
      events,
      voids,
      log,
      onElected: () => this.elected.resolve(),
      onFailed: (error) => this.onReplicaFailed(error),
    });
    this.replica = replica;
    if (!this.connected) replica.disconnected();
    await replica.catchUp();
    if (this.replica !== replica || replica.isClosed) return;
    replica.standBy();
    const from = start.checkpoint === null ? "" : ` from the checkpoint at record ${start.point.seq} on`;
    log(`coordinator ${this.name} has folded ${replica.ledger.seq} records${from} and stands by`);
  }

  /** Where the log is not the one that was folded, its state is thrown away and loaded anew; anything else ends this coordinator. */
  private onReplicaFailed(error: Error): void {
    const isGap = error instanceof LogGapError;
    if (!isGap && !(error instanceof LogTailLostError)) return this.fail(error);
    // The same hole again, although all that was known was forgotten: it is in the log itself.
    if (isGap && error.expected === this.gapAt) return this.fail(error);
    if (isGap) this.gapAt = error.expected;
    this.log(`${error.message}; the state is thrown away and loaded anew`);
    this.beginReplica().catch((second: unknown) => this.fail(second as Error));
  }

  private async followConnection(): Promise<void> {
    for await (const status of this.connection.nats.status()) {
      if (status.type === "disconnect") {
        this.connected = false;
        this.replica?.disconnected();
        this.log("the connection to NATS is lost; reconnecting");
      } else if (status.type === "reconnect") {
        this.connected = true;
        this.replica?.reconnected();
        this.log(`connected to NATS again at ${status.server}`);
      } else if (status.type === "error") this.log(`NATS reports: ${status.error.message}`);
    }
    if (this.stopping === null) this.fail(new ClosedError("the connection to NATS"));
  }

  private fail(error: Error): void {
    if (this.stopping !== null) return;
    this.failure = error;
    this.log(`coordinator ${this.name} stops: ${error.message}`);
    this.stopping = this.shutDown(error);
    this.stopping.catch((second: unknown) => this.log(`closing failed too: ${String(second)}`));
  }

  private async shutDown(why: Error | null): Promise<void> {
    if (why === null) await this.replica?.resign();
    this.replica?.close();
    this.events.close();
    await closeConnection(this.connection);
    this.ended.resolve(why);
  }
}

async function configOf(
  connection: SystemConnection,
  namespace: Namespace,
  create: boolean | NamespaceOptions,
  log: (line: string) => void,
): Promise<NamespaceConfig> {
  try {
    const { nats, clock } = connection;
    if (create !== false) {
      const options = create === true ? {} : create;
      return await whenJetStreamIsBack(clock, () => createNamespace(nats, namespace, options));
    }
    const config = await whenJetStreamIsBack(clock, () => openNamespace(nats, namespace));
    // Without the permission to make a stream this coordinator leads like any other, without checkpoints or large values.
    await completeNamespace(nats, config).catch((error: unknown) =>
      log(
        `the namespace lacks a stream for checkpoints or large values, and this coordinator cannot make one: ${String(error)}`,
      ),
    );
    return config;
  } catch (error) {
    await closeConnection(connection);
    throw error;
  }
}
