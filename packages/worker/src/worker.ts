/**
 * A worker: announces itself, takes assignments from the leader, runs them in its slots, and appends how they ended. It
 * keeps a result, and claims its attempt, until the log has it.
 */
import { availableParallelism, hostname } from "node:os";
import type { Msg } from "@nats-io/transport-node";
import {
  type Assignment,
  type AttemptRef,
  CREDITS_MAX,
  decodeHello,
  decodeWorkerMessage,
  encodePresence,
  type FinishOutcome,
  Identity,
  InstanceId,
  inboxPrefix,
  isToken,
  LABELS_MAX,
  Namespace,
  type Presence,
  Subjects,
  type TaskId,
  TaskName,
  UsageError,
} from "@weft/protocol";
import {
  Appender,
  type Connection,
  type ConnectionOptions,
  closeConnection,
  openConnection,
} from "@weft/transport";
import type { LogLevel, TaskOutlet } from "./context.ts";
import { Attempts } from "./core/attempts.ts";
import { dependencyValues } from "./dependency-values.ts";
import type { Executor, Run } from "./executors/executor.ts";
import { inlineExecutor } from "./executors/inline.ts";
import { threadExecutor } from "./executors/thread.ts";
import { encodeFinishes, type FinishItem, finishItem } from "./finish-item.ts";
import { ProgressOutlet } from "./progress-outlet.ts";
import { type AttemptEnd, failedWith } from "./run-attempt.ts";
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
  /** Tasks that are held ready beyond those that run, so that a short one never waits for a round trip. @default twice the slots */
  readonly prefetch?: number;
  /** What this worker offers beyond its tasks, such as "gpu"; a task with labels runs only where all of them are. */
  readonly labels?: readonly string[];
  /** The first token of this worker's name in subjects. @default "worker" */
  readonly identity?: string;
  /** One line for the log of the process. @default nothing is logged */
  readonly log?: (line: string) => void;
  /** What tasks write with `ctx.log`. @default like `log` */
  readonly onTaskLog?: (level: LogLevel, task: AttemptRef, message: string, data: unknown) => void;
};

export type StopOptions = {
  /** How long running tasks may still take, in milliseconds; then they are left behind and run again elsewhere. @default 30000 */
  readonly graceMs?: number;
};

const PRESENCE_MS = 1_000;
const GRACE_MS = 30_000;
const CLOSE_APPENDS_MS = 5_000;

export class Worker {
  private readonly connection: Connection;
  private readonly subjects: Subjects;
  private readonly registry: TaskRegistry;
  private readonly options: WorkerOptions;
  private readonly attempts: Attempts;
  private readonly executors: { readonly inline: Executor; readonly thread: Executor };
  private readonly progress: ProgressOutlet;
  private readonly appender: Appender<"finish", FinishItem>;
  private readonly runs = new Map<TaskId, Run>();
  /** Cancels of attempts whose dependency values are still on their way. */
  private readonly earlyCancels = new Map<TaskId, { readonly reason: string | null }>();
  private readonly startedAtMs = Date.now();
  private readonly presenceTimer: NodeJS.Timeout;
  private state: Presence["state"] = "ready";
  private epoch = 0;
  private seen = 0;
  private appendedSeq = 0;
  private idle: (() => void) | null = null;
  private stopping: Promise<void> | null = null;
  private readonly voided = new Set<string>();
  private readonly names: readonly TaskName[];

  /** Loads the tasks, opens the connection and announces the worker. Throws `TaskFileError` or `DuplicateTaskError` before it connects. */
  static async start(options: WorkerOptions): Promise<Worker> {
    const registry = new TaskRegistry();
    if (options.tasks !== undefined) registry.addModule(options.tasks, null, "the tasks given to the worker");
    await loadTaskFiles(registry, options.files ?? []);
    if (registry.names.length === 0)
      throw new UsageError("a worker needs at least one task: pass `files` or `tasks`");
    checkOptions(options);
    const namespace = Namespace.parse(options.namespace ?? process.env.WEFT_NAMESPACE ?? "default");
    const identity = Identity.parse(options.identity ?? "worker");
    const connection = await openConnection(identity, InstanceId.create(), options);
    const worker = new Worker(connection, new Subjects(namespace), registry, options);
    await connection.nats.flush();
    return worker;
  }

  private constructor(
    connection: Connection,
    subjects: Subjects,
    registry: TaskRegistry,
    options: WorkerOptions,
  ) {
    const { nats, sender, instance } = connection;
    const slots = options.slots ?? availableParallelism();
    this.connection = connection;
    this.subjects = subjects;
    this.registry = registry;
    this.options = options;
    this.names = registry.names.map((name) => TaskName.parse(name));
    this.attempts = new Attempts(slots, Math.min(CREDITS_MAX, slots + (options.prefetch ?? 2 * slots)));
    this.executors = { inline: inlineExecutor(), thread: threadExecutor() };
    this.progress = new ProgressOutlet(nats, subjects);
    this.appender = new Appender<"finish", FinishItem>({
      nats,
      inbox: inboxPrefix(sender),
      stream: subjects.stream(0),
      noun: "finished tasks",
      subject: () => subjects.log(0, "finish", sender),
      encode: (record) => encodeFinishes(instance, record),
      onTrouble: (trouble) =>
        this.log(
          trouble === null ? "the log takes finishes again" : `the log refuses finishes: ${trouble.message}`,
        ),
    });
    this.listen(subjects.worker(sender), (message) => this.onMessage(message));
    this.listen(subjects.helloAll(), (message) => this.onHello(message));
    this.presenceTimer = setInterval(() => this.announce(), PRESENCE_MS);
    this.followConnection().catch((error: unknown) =>
      this.log(`following the connection failed: ${String(error)}`),
    );
    this.announce();
  }

  get name(): string {
    return this.connection.sender;
  }

  get taskNames(): readonly string[] {
    return this.names;
  }

  /** Takes no new work, gives unstarted work back, lets running work end within the grace period, and closes. */
  stop(options: StopOptions = {}): Promise<void> {
    this.stopping ??= this.shutDown(options.graceMs ?? GRACE_MS);
    return this.stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private listen(subject: string, onMessage: (message: Msg) => void): void {
    this.connection.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) onMessage(message);
      },
    });
  }

  private async followConnection(): Promise<void> {
    for await (const status of this.connection.nats.status()) {
      if (status.type === "disconnect") this.log("the connection to NATS is lost; reconnecting");
      if (status.type === "error") this.log(`NATS reports: ${status.error.message}`);
      if (status.type !== "reconnect") continue;
      this.log(`connected to NATS again at ${status.server}`);
      this.appender.resend();
      this.announce();
    }
  }

  private log(line: string): void {
    this.options.log?.(`worker ${this.connection.sender}: ${line}`);
  }

  private void(kind: string): void {
    if (this.voided.has(kind) || this.voided.size > 100) return;
    this.voided.add(kind);
    this.log(`void: ${kind} (further ones are not logged)`);
  }

  private announce(): void {
    const { nats, sender } = this.connection;
    if (nats.isClosed()) return;
    const presence: Presence = {
      state: this.state,
      slots: this.attempts.slots,
      credits: this.state === "ready" ? this.attempts.credits : 0,
      names: this.names,
      labels: this.options.labels ?? [],
      host: hostname(),
      pid: process.pid,
      startedAtMs: this.startedAtMs,
      held: this.attempts.held(),
      running: this.attempts.running,
      epoch: this.epoch,
      seen: this.seen,
      appendedSeq: this.appendedSeq,
    };
    nats.publish(this.subjects.presence(sender), encodePresence(presence));
  }

  private onHello(message: Msg): void {
    const read = decodeHello(message.data);
    if (!read.ok) return this.void(`hello: ${read.kind}`);
    this.adopt(read.value.epoch);
  }

  /** Follows a newer leader, and tells it at once what is held here. */
  private adopt(epoch: number): void {
    if (epoch <= this.epoch) return;
    this.epoch = epoch;
    this.seen = 0;
    this.announce();
  }

  private onMessage(message: Msg): void {
    if (message.data.length === 0) {
      // A probe: the answer alone says that this process lives.
      message.respond();
      return;
    }
    const read = decodeWorkerMessage(message.data);
    if (!read.ok) return this.void(`message of a leader: ${read.kind}`);
    const { epoch, number, assignments, cancels, aborts } = read.value;
    if (epoch < this.epoch) return this.void("message of an old leader");
    this.adopt(epoch);
    this.seen = Math.max(this.seen, number);
    for (const attempt of aborts) this.abort(attempt);
    if (this.state === "ready") for (const assignment of assignments) this.attempts.assign(assignment);
    for (const cancel of cancels) this.cancel(cancel, cancel.reason);
    this.startNext();
  }

  private startNext(): void {
    for (let next = this.attempts.start(); next !== null; next = this.attempts.start()) {
      this.run(next).catch((error: unknown) => this.log(`running an attempt failed: ${String(error)}`));
    }
  }

  private async run(assignment: Assignment): Promise<void> {
    const { id, attempt } = assignment;
    this.progress.open(id, attempt, assignment.owner);
    const end = await this.execute(assignment);
    this.earlyCancels.delete(id);
    if (this.attempts.stateOf(id, attempt) === "running") {
      this.runs.delete(id);
      this.finish(assignment, end.outcome, true, end.value);
    } else this.progress.close(id, attempt);
    this.startNext();
    if (this.attempts.running === 0) this.idle?.();
  }

  private async execute(assignment: Assignment): Promise<AttemptEnd> {
    const { id, name, attempt, args } = assignment;
    const task = this.registry.get(name);
    if (task === undefined) return failedWith(new UsageError(`this worker has no task "${name}"`));
    try {
      const complete = assignment.deps === null || !assignment.deps.values.includes(null);
      const deps = complete
        ? ((assignment.deps?.values ?? []) as readonly Uint8Array[])
        : await dependencyValues(assignment, this.connection, this.subjects);
      const run = this.executors[task.definition.options.executor].run(
        task,
        { id, name, attempt, args, deps },
        this.outletOf({ id, attempt }),
      );
      this.runs.set(id, run);
      const early = this.earlyCancels.get(id);
      if (early !== undefined) run.cancel(early.reason);
      return await run.end;
    } catch (error) {
      return failedWith(error);
    }
  }

  private outletOf(ref: AttemptRef): TaskOutlet {
    return {
      progress: (fraction, message, data) => this.progress.report(ref, { fraction, message, data }),
      log: (level, message, data) => {
        if (this.options.onTaskLog !== undefined) this.options.onTaskLog(level, ref, message, data);
        else
          this.log(`${level} ${ref.id}: ${message}${data === undefined ? "" : ` ${JSON.stringify(data)}`}`);
      },
    };
  }

  private finish(
    assignment: Assignment,
    outcome: FinishOutcome,
    started: boolean,
    value: Uint8Array | null,
  ): void {
    const { id, attempt } = assignment;
    if (!this.attempts.finishing(id, attempt)) return;
    const progress = this.progress.close(id, attempt);
    const finish = { id, attempt, outcome, started, progress, value };
    this.appender.add(
      "finish",
      finishItem(finish, (seq) => {
        this.appendedSeq = Math.max(this.appendedSeq, seq);
        this.attempts.appended(id, attempt);
      }),
    );
  }

  private cancel(ref: AttemptRef, reason: string | null): void {
    const state = this.attempts.stateOf(ref.id, ref.attempt);
    const run = this.runs.get(ref.id);
    if (state === "running" && run !== undefined) run.cancel(reason);
    else if (state === "running") this.earlyCancels.set(ref.id, { reason });
    else if (state === "queued") this.finishQueued(ref, "cancelled");
  }

  private finishQueued(ref: AttemptRef, outcome: "cancelled" | "returned"): void {
    const assignment = this.attempts
      .queued()
      .find((each) => each.id === ref.id && each.attempt === ref.attempt);
    if (assignment !== undefined) this.finish(assignment, outcome, false, null);
  }

  /** The attempt is another worker's, or over: what this one would record of it is void. */
  private abort(ref: AttemptRef): void {
    if (this.attempts.stateOf(ref.id, ref.attempt) === "running") {
      this.runs.get(ref.id)?.cancel("the attempt is no longer current");
      this.runs.delete(ref.id);
    }
    this.attempts.drop(ref.id, ref.attempt);
  }

  private async shutDown(graceMs: number): Promise<void> {
    this.state = "draining";
    this.announce();
    for (const assignment of this.attempts.queued()) this.finish(assignment, "returned", false, null);
    await this.untilIdle(graceMs);
    await within(this.appender.idle(), CLOSE_APPENDS_MS);
    clearInterval(this.presenceTimer);
    this.progress.stop();
    this.appender.close();
    this.state = "left";
    this.announce();
    await Promise.all([this.executors.inline.close(), this.executors.thread.close()]);
    await closeConnection(this.connection);
  }

  private async untilIdle(graceMs: number): Promise<void> {
    if (this.attempts.running === 0) return;
    await within(
      new Promise<void>((resolve) => {
        this.idle = resolve;
      }),
      graceMs,
    );
  }
}

async function within(done: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}

function checkOptions(options: WorkerOptions): void {
  const whole = (value: number | undefined, least: number): boolean =>
    value === undefined || (Number.isInteger(value) && value >= least && value <= CREDITS_MAX);
  if (!whole(options.slots, 1)) throw new UsageError(`slots must be a whole number from 1 to ${CREDITS_MAX}`);
  if (!whole(options.prefetch, 0))
    throw new UsageError(`prefetch must be a whole number from 0 to ${CREDITS_MAX}`);
  const labels = options.labels ?? [];
  if (labels.length > LABELS_MAX || !labels.every(isToken)) {
    throw new UsageError(`labels must be at most ${LABELS_MAX} words of A-Z a-z 0-9 _ -`);
  }
}
