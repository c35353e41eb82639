/**
 * A coordinator: reads the log, folds it, stands for leader, and while it leads acts on what the fold says. It can be
 * killed at any instruction: the next one folds the same log.
 */
import { ClosedError, FOLD_VERSION, Identity, InstanceId, Namespace, Subjects } from "@weft/protocol";
import {
  type Connection,
  type ConnectionOptions,
  closeConnection,
  openConnection,
  type SystemConnection,
} from "@weft/transport";
import { Ledger } from "../core/ledger/index.ts";
import { ControlWriter } from "./control-writer.ts";
import { EventOutlet } from "./event-outlet.ts";
import { createNamespace, type NamespaceConfig, type NamespaceOptions, openNamespace } from "./namespace.ts";
import { Replica } from "./replica.ts";
import { VoidCounter } from "./void-counter.ts";

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
  private readonly config: NamespaceConfig;
  private readonly subjects: Subjects;
  private readonly events: EventOutlet;
  private readonly writer: ControlWriter;
  private readonly voids: VoidCounter;
  private readonly log: (line: string) => void;
  private replica: Replica;
  private stopping: Promise<void> | null = null;
  private failure: Error | null = null;
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
    const subjects = new Subjects(config.namespace);
    this.connection = connection;
    this.config = config;
    this.subjects = subjects;
    this.log = log;
    this.voids = new VoidCounter(log);
    this.events = new EventOutlet(connection, subjects);
    const lastControlSeq = (): number => this.replica.ledger.lastControlSeq;
    const foldVersion = (): number => this.replica.ledger.foldVersion || FOLD_VERSION;
    this.writer = new ControlWriter({
      connection,
      subjects,
      secret: config.secret,
      lastControlSeq,
      foldVersion,
    });
    this.replica = this.newReplica();
  }

  /** Whether this coordinator leads. */
  get leading(): boolean {
    return this.replica.leading;
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
    await this.replica.catchUp();
    if (this.failure !== null) throw this.failure;
    this.replica.standBy();
    this.log(`coordinator ${this.name} has folded ${this.replica.ledger.seq} records and stands by`);
  }

  private newReplica(): Replica {
    const { connection, config, subjects, writer, events, voids, log } = this;
    return new Replica({
      connection,
      config,
      subjects,
      ledger: new Ledger({ partition: 0, secret: config.secret }),
      writer,
      events,
      voids,
      log,
      onElected: () => this.elected.resolve(),
      onFailed: (error) => this.fail(error),
    });
  }

  private async followConnection(): Promise<void> {
    for await (const status of this.connection.nats.status()) {
      if (status.type === "disconnect") {
        this.replica.disconnected();
        this.log("the connection to NATS is lost; reconnecting");
      } else if (status.type === "reconnect") {
        this.replica.reconnected();
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
    if (why === null) await this.replica.resign();
    this.replica.close();
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
