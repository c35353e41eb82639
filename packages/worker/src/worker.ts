/** A worker: loads tasks, announces itself to the leader, runs what it is assigned, and drains when it is asked to stop. */
import { availableParallelism } from "node:os";
import { inspect } from "node:util";
import {
  type AttemptRef,
  CREDITS_MAX,
  Identity,
  InstanceId,
  isToken,
  LABELS_MAX,
  Namespace,
  Subjects,
  TaskName,
  UsageError,
} from "@weft/protocol";
import {
  type BlobSizes,
  type Connection,
  type ConnectionOptions,
  closeConnection,
  openConnection,
  Pace,
  type SystemConnection,
  within,
} from "@weft/transport";
import { AttemptRunner } from "./attempt-runner.ts";
import { NO_ENTRY } from "./begun-table.ts";
import type { LogLevel } from "./context.ts";
import type { Executors } from "./executors/executor.ts";
import { inlineExecutor } from "./executors/inline.ts";
import { processExecutor } from "./executors/process.ts";
import { threadExecutor } from "./executors/thread.ts";
import { LeaderLink } from "./leader-link.ts";
import { Liveness } from "./liveness.ts";
import { Stall } from "./stall.ts";
import { loadTaskFiles, TaskRegistry } from "./task-registry.ts";

export type WorkerOptions = ConnectionOptions & {
  /** @default WEFT_NAMESPACE, else "default" */
  readonly namespace?: string;
  /** Files whose exported tasks this worker runs. */
  readonly files?: readonly string[];
  /** Modules whose exported tasks this worker runs; their executor must be inline. */
  readonly tasks?: Readonly<Record<string, unknown>>;
  /** Tasks that run at once. @default the number of cores */
  readonly slots?: number;
  /** Tasks that are held ready beyond those that run, so that a short one never waits for a round trip. @default what it
   * finishes in 50 milliseconds, at least twice the slots and at most 4,096 or 16 MiB; where code runs in threads or processes
   * up to 64 that it finishes in 250 milliseconds */
  readonly prefetch?: number;
  /**
   * How long cancelled code may take to heed `ctx.signal`, in milliseconds. Then its thread is ended; inline code cannot be
   * ended by force. @default 5000
   */
  readonly cancelGraceMs?: number;
  /**
   * How long what runs goes on while the connection to NATS is down, in milliseconds. Then it is stopped, for the leader gives
   * it to another worker; `Infinity` lets it run on, and so perhaps twice. @default 10000
   */
  readonly cutOffMs?: number;
  /** What this worker offers beyond its tasks, such as "gpu"; a task with labels runs only where all of them are. */
  readonly labels?: readonly string[];
  /** The first token of this worker's name in subjects. @default "worker" */
  readonly identity?: string;
  /** One line for the log of the process. @default nothing is logged */
  readonly log?: (line: string) => void;
  /** What tasks write with `ctx.log`. @default like `log` */
  readonly onTaskLog?: (level: LogLevel, task: AttemptRef, message: string, data: unknown) => void;
};

/** What a worker is made of. */
export type WorkerParts = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly registry: TaskRegistry;
  readonly options: WorkerOptions;
  readonly executors: Executors;
  /** What answers probes while the event loop is blocked; null where nothing does. */
  readonly liveness: Liveness | null;
  readonly blobSizes?: BlobSizes;
};

export type StopOptions = {
  /** How long running tasks may still take, in milliseconds; then they are left behind and run again elsewhere. @default 30000 */
  readonly graceMs?: number;
};

const GRACE_MS = 30_000;
const CANCEL_GRACE_MS = 5_000;
const CUT_OFF_MS = 10_000;
const CANCEL_GRACE_MAX_MS = 24 * 3_600_000;
const CLOSE_APPENDS_MS = 5_000;

export class Worker {
  private readonly connection: Connection;
  private readonly options: WorkerOptions;
  private readonly runner: AttemptRunner;
  private readonly link: LeaderLink;
  private readonly liveness: Liveness | null;
  private readonly stall: Stall;
  private readonly pace: Pace;
  private stopping: Promise<void> | null = null;
  /** The names of the tasks that it runs. */
  readonly taskNames: readonly TaskName[];

  /** Loads the tasks, opens the connection and announces the worker. Throws `TaskFileError` or `DuplicateTaskError` before it connects. */
  static async start(options: WorkerOptions): Promise<Worker> {
    const registry = new TaskRegistry();
    if (options.tasks !== undefined) registry.addModule(options.tasks, null, "the tasks given to the worker");
    await loadTaskFiles(registry, options.files ?? []);
    if (registry.names.length === 0) {
      throw new UsageError("a worker needs at least one task: pass `files` or `tasks`");
    }
    checkOptions(options);
    const namespace = Namespace.parse(options.namespace ?? process.env.WEFT_NAMESPACE ?? "default");
    const identity = Identity.parse(options.identity ?? "worker");
    const connection = await openConnection(identity, InstanceId.create(), options);
    const subjects = new Subjects(namespace);
    const log = (line: string): void => options.log?.(`worker ${connection.sender}: ${line}`);
    const slots = slotsOf(options);
    const worker = new Worker({
      connection,
      subjects,
      registry,
      options,
      executors: {
        inline: inlineExecutor(),
        thread: threadExecutor({ keptMax: slots, clock: connection.clock }),
        process: processExecutor({ keptMax: slots, clock: connection.clock, log }),
      },
      liveness: new Liveness({
        servers: otherServersFirst(connection),
        slots,
        nats: options.nats ?? {},
        subject: subjects.probe(connection.sender),
        name: `worker ${connection.sender}`,
        log,
      }),
    });
    await connection.nats.flush();
    return worker;
  }

  /** Made by `start`. */
  constructor(parts: WorkerParts) {
    const { connection, subjects, registry, options, executors, liveness, blobSizes } = parts;
    const slots = slotsOf(options);
    const prefetch = options.prefetch === undefined ? null : Math.min(CREDITS_MAX - slots, options.prefetch);
    const log = (line: string): void => this.log(line);
    const onTaskLog = options.onTaskLog ?? logLine(log);
    this.connection = connection;
    this.options = options;
    this.taskNames = registry.names.map((name) => TaskName.parse(name));
    const cancelGraceMs = options.cancelGraceMs ?? CANCEL_GRACE_MS;
    this.runner = new AttemptRunner({
      connection,
      subjects,
      registry,
      executors,
      slots,
      prefetch,
      blobSizes,
      cancelGraceMs,
      log,
      onTaskLog,
      onBegin: (attempt) => liveness?.began(attempt) ?? NO_ENTRY,
      onCredits: () => this.link.announce(),
      isHeld: (nowMs) => this.stall.isHolding(nowMs),
    });
    const labels = options.labels ?? [];
    this.stall = new Stall({
      clock: connection.clock,
      ask: () => this.link.check(),
      onOver: () => this.runner.startNext(),
    });
    this.pace = new Pace({ clock: connection.clock, isBusy: () => this.runner.attempts.size > 0 });
    this.pace.onBeat(() => liveness?.turn(this.pace.periodMs - Pace.busyMs));
    this.link = new LeaderLink({
      connection,
      subjects,
      pace: this.pace,
      onTurn: () => liveness?.turn(),
      runner: this.runner,
      names: this.taskNames,
      labels,
      cutOffMs: options.cutOffMs ?? CUT_OFF_MS,
      log,
    });
    this.liveness = liveness;
    this.followConnection().catch((error: unknown) =>
      this.log(`following the connection failed: ${String(error)}`),
    );
  }

  /** The two tokens that name this worker in subjects. */
  get name(): string {
    return this.connection.sender;
  }

  /** Takes no new work, gives unstarted work back, lets running work end within the grace period, and closes. */
  stop(options: StopOptions = {}): Promise<void> {
    this.stopping ??= this.shutDown(options.graceMs ?? GRACE_MS);
    return this.stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private async followConnection(): Promise<void> {
    for await (const status of this.connection.nats.status()) {
      if (status.type === "disconnect") {
        this.link.disconnected();
        this.log("the connection to NATS is lost; reconnecting");
      }
      if (status.type === "error") this.log(`NATS reports: ${status.error.message}`);
      if (status.type !== "reconnect") continue;
      this.log(`connected to NATS again at ${status.server}`);
      this.runner.resend();
      this.link.reconnected();
    }
  }

  private log(line: string): void {
    this.options.log?.(`worker ${this.connection.sender}: ${line}`);
  }

  private async shutDown(graceMs: number): Promise<void> {
    this.link.drain();
    this.runner.returnQueued();
    const { clock } = this.connection;
    await within(clock, graceMs, this.runner.idle());
    await within(clock, CLOSE_APPENDS_MS, this.runner.appended());
    this.link.leave();
    this.stall.close();
    this.pace.close();
    await Promise.all([this.runner.close(), this.liveness?.close()]);
    await closeConnection(this.connection);
  }
}

function logLine(log: (line: string) => void): NonNullable<WorkerOptions["onTaskLog"]> {
  return (level, ref, message, data) => {
    log(`${level} ${ref.id}: ${message}${data === undefined ? "" : ` ${lineOf(data)}`}`);
  };
}

/** A task may log anything, also what has no JSON: a cycle, a bigint. */
function lineOf(data: unknown): string {
  try {
    return JSON.stringify(data) ?? inspect(data);
  } catch {
    return inspect(data, { breakLength: Number.POSITIVE_INFINITY });
  }
}

function slotsOf(options: WorkerOptions): number {
  return options.slots ?? availableParallelism();
}

/** So that one node that is gone does not take both connections of a worker with it. */
function otherServersFirst({ nats, servers }: SystemConnection): readonly string[] {
  const own = nats.getServer();
  const told = nats.info?.connect_urls ?? [];
  const others = [...servers, ...told].filter((server) => hostOf(server) !== hostOf(own));
  return [...new Set([...others, ...servers])];
}

function hostOf(server: string): string {
  return server.replace(/^[a-z]+:\/\//, "").replace(/^[^/]*@/, "");
}

function checkOptions(options: WorkerOptions): void {
  const whole = (value: number | undefined, least: number): boolean =>
    value === undefined || (Number.isInteger(value) && value >= least && value <= CREDITS_MAX);
  if (!whole(options.slots, 1)) throw new UsageError(`slots must be a whole number from 1 to ${CREDITS_MAX}`);
  if (!whole(options.prefetch, 0))
    throw new UsageError(`prefetch must be a whole number from 0 to ${CREDITS_MAX}`);
  const graceMs = options.cancelGraceMs ?? 0;
  if (!(graceMs >= 0 && graceMs <= CANCEL_GRACE_MAX_MS))
    throw new UsageError(`cancelGraceMs must be from 0 to ${CANCEL_GRACE_MAX_MS}`);
  const { cutOffMs = CUT_OFF_MS } = options;
  if (!(cutOffMs > 0)) throw new UsageError("cutOffMs must be a number of milliseconds above 0");
  const labels = options.labels ?? [];
  if (!Array.isArray(labels) || labels.length > LABELS_MAX || !labels.every(isToken)) {
    throw new UsageError(`labels must be at most ${LABELS_MAX} words of A-Z a-z 0-9 _ -`);
  }
}
