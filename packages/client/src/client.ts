/** The client: submits tasks and hands out their handles. */

import {
  AppendHeldError,
  AppendRefusedError,
  type Cancel,
  type ClosedError as Closed,
  ClosedError,
  decodeProgress,
  Identity,
  InstanceId,
  isBlobRef,
  lastToken,
  Namespace,
  NoLeaderError,
  ResultExpiredError,
  type SettledTask,
  Subjects,
  type Submission,
  TaskId,
  type TaskState,
  TEXT_LENGTH_MAX,
  UsageError,
  ValueDamagedError,
} from "@weft/protocol";
import {
  type AckError,
  Appender,
  ask,
  BlobReader,
  type BlobSizes,
  BlobWriter,
  type BusMessage,
  type BusSubscription,
  type Connection,
  type ConnectionOptions,
  closeConnection,
  openConnection,
  within,
} from "@weft/transport";
import { Follower } from "./follower.ts";
import { type HandleHost, type Settlement, TaskHandle } from "./handle.ts";
import { Receipts } from "./receipts.ts";
import { lastProgressOf, settlementOf, unknownOf, unreadableOf } from "./settlement.ts";
import {
  type ClientItem,
  cancelItem,
  encodeItems,
  receivedItem,
  submissionOf,
  submitItem,
} from "./submission.ts";
import { SubmitLine } from "./submit-line.ts";
import type { SubmitOptions } from "./submit-options.ts";
import { type TypedTasks, typedTasks } from "./typed-tasks.ts";

export type ClientOptions = ConnectionOptions & {
  /** @default WEFT_NAMESPACE, else "default" */
  readonly namespace?: string;
  /** The first token of this client's name in subjects. @default "client" */
  readonly identity?: string;
  /** Told of callbacks that throw and of trouble that is being retried. @default a process warning */
  readonly onError?: (error: Error) => void;
};

export type CloseOptions = {
  /** How long to wait until the log has everything submitted, in milliseconds. @default 10000 */
  readonly timeoutMs?: number;
};

const CLOSE_TIMEOUT_MS = 10_000;
/** Longer than a leader takes to say so again. */
const HOLD_MS = 5_000;

/** Opens a connection to a cluster. Rejects with `UnreachableError`, `UnsupportedServerError` or `JetStreamDisabledError`. */
export async function connect(options: ClientOptions = {}): Promise<Client> {
  const namespace = Namespace.parse(options.namespace ?? process.env.WEFT_NAMESPACE ?? "default");
  const identity = Identity.parse(options.identity ?? "client");
  const connection = await openConnection(identity, InstanceId.create(), options);
  return new Client(
    connection,
    new Subjects(namespace),
    options.onError ?? ((error) => process.emitWarning(error)),
  );
}

export class Client {
  private readonly connection: Connection;
  private readonly subjects: Subjects;
  private readonly onError: (error: Error) => void;
  private readonly appender: Appender<ClientItem["kind"], ClientItem>;
  private readonly writer: BlobWriter;
  private readonly reader: BlobReader;
  private readonly line: SubmitLine;
  private readonly follower: Follower;
  private readonly handles = new Map<TaskId, TaskHandle>();
  private readonly accepting = new Map<TaskId, PromiseWithResolvers<void> | null>();
  /** Cancels of tasks that the log does not have yet: their record must not overtake that of the task. */
  private readonly earlyCancels = new Map<TaskId, Cancel>();
  private readonly attached = new Map<TaskId, BusSubscription | null>();
  private readonly receipts = new Receipts((id) => this.appendReceipt(id));
  private ownProgress: BusSubscription | null = null;
  private closing: Promise<void> | null = null;
  private readonly host: HandleHost = {
    accept: (id) => this.accept(id),
    cancel: (id, reason, dependents) => this.cancel({ id, reason, dependents }),
    state: (id) => this.state(id),
    listenToProgress: (id) => this.listenToProgress(id),
    reportError: (error) => this.onError(error),
  };

  /** Made by `connect`. */
  constructor(
    connection: Connection,
    subjects: Subjects,
    onError: (error: Error) => void,
    blobSizes?: BlobSizes,
  ) {
    const { sender, instance } = connection;
    this.connection = connection;
    this.subjects = subjects;
    this.onError = onError;
    this.follower = new Follower({ connection, subjects, onHold: () => this.hold(), onError });
    const onTrouble = (trouble: AckError | null): void => {
      if (trouble !== null) this.onError(new AppendRefusedError("tasks", trouble.message));
    };
    this.appender = new Appender<ClientItem["kind"], ClientItem>({
      connection,
      stream: subjects.stream(0),
      noun: "tasks",
      subject: (kind) => subjects.log(0, kind, sender),
      encode: (record) => encodeItems(instance, record),
      onTrouble,
    });
    this.writer = new BlobWriter({ connection, subjects, sizes: blobSizes, onTrouble });
    this.reader = new BlobReader(connection, subjects);
    this.line = new SubmitLine({
      writer: this.writer,
      add: (submission) => this.append(submission),
      abandoned: (id, error) => this.abandoned(id, error),
    });
    this.followConnection().catch((error: unknown) => this.onError(error as Error));
  }

  /** The two tokens that name this client in subjects. */
  get name(): string {
    return this.connection.sender;
  }

  /** Typed calls: `client.tasks<typeof import("./tasks.ts")>().countPrimes(1000)`. */
  tasks<Module>(): TypedTasks<Module> {
    return typedTasks<Module>((name, input, options) => this.submit(name, input, options));
  }

  /**
   * Submits a task and returns its handle at once; `handle.accepted` resolves when the log has it.
   * Throws `UsageError`, `EncodingError` or `PayloadTooLargeError` before anything is sent.
   */
  submit<T = unknown>(name: string, input?: unknown, options: SubmitOptions = {}): TaskHandle<T> {
    if (this.closing !== null) throw new ClosedError("the client");
    const submission = submissionOf(name, input, options, {
      newId: () => this.createId(),
      wallMs: () => this.connection.clock.wallMs(),
    });
    const { id } = submission;
    const known = this.handles.get(id);
    if (known !== undefined) return known as TaskHandle<T>;
    const handle = new TaskHandle<T>(id, name, this.host);
    if (!this.receipts.isIdle) this.receipts.submitted(id, submission.dependsOn);
    this.line.submit(submission);
    if (options.keepResult === false) this.receipts.expect(id);
    this.accepting.set(id, null);
    this.follow(handle as TaskHandle);
    return handle;
  }

  /** The handle of a task that anybody submitted, any time within the retention. Settles with `UnknownTaskError` if nobody did. */
  handle<T = unknown>(id: string): TaskHandle<T> {
    if (this.closing !== null) throw new ClosedError("the client");
    const taskId = TaskId.parse(id);
    const known = this.handles.get(taskId);
    if (known !== undefined) return known as TaskHandle<T>;
    const handle = new TaskHandle<T>(taskId, null, this.host);
    this.attached.set(taskId, null);
    this.handles.set(taskId, handle as TaskHandle);
    this.follower.attach(taskId, this.followedBy(handle as TaskHandle));
    return handle;
  }

  /** A new id, for a task that others depend on before it is submitted. */
  createId(): TaskId {
    const { clock, entropy } = this.connection;
    return TaskId.create(0, clock.wallMs(), entropy.token);
  }

  /** Waits until the log has everything submitted, then closes. Handles that have not settled reject with `ClosedError`. */
  close(options: CloseOptions = {}): Promise<void> {
    this.closing ??= this.shutDown(options.timeoutMs ?? CLOSE_TIMEOUT_MS);
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private append(submission: Submission): void {
    const { id } = submission;
    this.appender.add(
      "submit",
      submitItem(
        submission,
        (seq) => this.accepted(submission, seq),
        (error) => this.abandoned(id, error),
      ),
    );
  }

  /** Told again and again while it lasts, and told to the user once. */
  private hold(): void {
    if (!this.appender.isHeld) this.onError(new AppendHeldError("tasks"));
    this.appender.hold(HOLD_MS);
  }

  private follow(handle: TaskHandle): void {
    this.handles.set(handle.id, handle);
    this.follower.add(handle.id, this.followedBy(handle));
  }

  private followedBy(handle: TaskHandle): Parameters<Follower["add"]>[1] {
    return {
      settled: (task) => this.settled(handle, task),
      unreadable: (task, error) => {
        this.forget(handle.id);
        this.receipts.forget(handle.id);
        handle.settle(unreadableOf(task, error));
      },
      unknown: (error) => {
        this.forget(handle.id);
        this.receipts.forget(handle.id);
        handle.settle(unknownOf(error));
      },
    };
  }

  private settled(handle: TaskHandle, task: SettledTask): void {
    this.forget(handle.id);
    const progress = lastProgressOf(task);
    if (progress !== null) handle.progressed(progress);
    const { value } = task;
    if (value === null || !isBlobRef(value)) {
      handle.settle(settlementOf(task));
      this.received(task);
    } else handle.settleLater(task.outcome, () => this.readResult(task, value));
  }

  /** Asked for until somebody answers, or this client closes. */
  private async readResult(task: SettledTask, reference: Uint8Array): Promise<Settlement<unknown>> {
    while (this.closing === null) {
      try {
        const settlement = settlementOf({ ...task, value: await this.reader.read(reference) });
        this.received(task);
        return settlement;
      } catch (error) {
        if (error instanceof ValueDamagedError || error instanceof ResultExpiredError)
          return unreadableOf(task, error);
        if (!(error instanceof NoLeaderError)) break;
        this.onError(error);
      }
    }
    throw new ClosedError("the client");
  }

  /** Its handle has the result, or it has none. */
  private received({ id, outcome }: SettledTask): void {
    if (this.receipts.isIdle) return;
    if (outcome === "succeeded") this.receipts.received(id);
    else this.receipts.forget(id);
  }

  private forget(id: TaskId): void {
    this.handles.delete(id);
    this.attached.get(id)?.unsubscribe();
    this.attached.delete(id);
  }

  private accepted({ id, dependsOn }: Submission, seq: number): void {
    if (!this.receipts.isIdle) this.receipts.accepted(id, dependsOn);
    this.follower.accepted(id, seq);
    this.accepting.get(id)?.resolve();
    this.accepting.delete(id);
    const cancel = this.earlyCancels.get(id);
    if (cancel === undefined) return;
    this.earlyCancels.delete(id);
    this.appendCancel(cancel);
  }

  private abandoned(id: TaskId, error: Error): void {
    this.receipts.abandoned(id);
    this.accepting.get(id)?.reject(error);
    this.accepting.delete(id);
    this.earlyCancels.delete(id);
  }

  /** Promises are made only for tasks whose acceptance somebody asks about. */
  private accept(id: TaskId): Promise<void> {
    const known = this.accepting.get(id);
    if (known === undefined) return Promise.resolve();
    const made = known ?? Promise.withResolvers<void>();
    this.accepting.set(id, made);
    return made.promise;
  }

  private cancel(cancel: Cancel): void {
    const { id, reason } = cancel;
    if (this.closing !== null) throw new ClosedError("the client");
    if (reason !== null && reason.length > TEXT_LENGTH_MAX) {
      throw new UsageError(`a cancel reason must be at most ${TEXT_LENGTH_MAX} characters`);
    }
    if (this.accepting.has(id)) this.earlyCancels.set(id, cancel);
    else this.appendCancel(cancel);
  }

  private appendCancel(cancel: Cancel): void {
    this.appender.add("cancel", cancelItem(cancel));
  }

  private appendReceipt(id: TaskId): void {
    try {
      this.appender.add("received", receivedItem(id));
    } catch {
      // This client closes, or has too much on its way: the result is kept as any other is.
    }
  }

  private async state(id: TaskId): Promise<TaskState | "unknown"> {
    await this.accept(id);
    const { states } = await ask(
      this.connection,
      this.subjects,
      { type: "states", ids: [id], watch: false },
      { afterSeq: this.follower.afterSeq },
    );
    const [answer] = states;
    if (answer === undefined || answer.type === "unknown") return "unknown";
    return answer.type === "live" ? answer.state : answer.task.outcome;
  }

  private listenToProgress(id: TaskId): void {
    if (this.closing !== null) return;
    if (!this.attached.has(id)) {
      this.ownProgress ??= this.subscribeToProgress(this.subjects.progressOf(this.connection.identity));
    } else if (this.attached.get(id) === null) {
      this.attached.set(id, this.subscribeToProgress(this.subjects.progressOn(id)));
    }
  }

  private subscribeToProgress(subject: string): BusSubscription {
    return this.connection.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) this.onProgress(message);
      },
    });
  }

  private onProgress(message: BusMessage): void {
    const handle = this.handles.get(lastToken(message.subject) as TaskId);
    const report = handle === undefined ? null : decodeProgress(message.data);
    if (report !== null) handle?.progressed(report);
  }

  private async followConnection(): Promise<void> {
    for await (const status of this.connection.nats.status()) {
      if (status.type === "error") this.onError(status.error);
      if (status.type !== "reconnect") continue;
      this.writer.resend();
      this.appender.resend();
      this.follower.ask();
    }
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    const appended = this.line.idle().then(() => this.appender.idle());
    await within(this.connection.clock, timeoutMs, appended);
    this.line.close();
    this.writer.close();
    this.appender.close();
    this.follower.close();
    const error: Closed = new ClosedError("the client");
    for (const handle of this.handles.values()) handle.close(error);
    this.handles.clear();
    await closeConnection(this.connection);
  }
}
