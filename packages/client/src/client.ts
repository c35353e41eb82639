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
  lastToken,
  Namespace,
  NoLeaderError,
  ResultExpiredError,
  type SettledTask,
  Subjects,
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
import { type ClientItem, ClientRecords, cancelItem, receivedItem } from "./client-records.ts";
import { Follower } from "./follower.ts";
import type { Settlement, TaskHandle } from "./handle.ts";
import { OpenTask, type OpenTaskHost } from "./open-task.ts";
import { Receipts } from "./receipts.ts";
import { settlementOf, unreadableOf } from "./settlement.ts";
import { submissionOf } from "./submission.ts";
import { SubmitLine } from "./submit-line.ts";
import { NO_OPTIONS, type SubmitOptions } from "./submit-options.ts";
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
  private readonly line: SubmitLine<OpenTask>;
  /** Knows every task that has not settled. */
  private readonly follower: Follower<OpenTask>;
  /** Subscriptions to the progress of tasks that others submitted; null until somebody listens. */
  private readonly attached = new Map<TaskId, BusSubscription | null>();
  /** Cancels that must not overtake their tasks on the way to the log. */
  private readonly earlyCancels = new Map<TaskId, Cancel>();
  private readonly receipts = new Receipts((id) => this.appendReceipt(id));
  private readonly source = {
    newId: (): TaskId => this.createId(),
    wallMs: (): number => this.connection.clock.wallMs(),
  };
  private ownProgress: BusSubscription | null = null;
  private closing: Promise<void> | null = null;
  private readonly host: OpenTaskHost = {
    accept: (id) => this.accept(id),
    cancel: (id, reason, dependents) => this.cancel({ id, reason, dependents }),
    state: (id) => this.state(id),
    listenToProgress: (id) => this.listenToProgress(id),
    reportError: (error) => this.onError(error),
    forget: (id) => this.forget(id),
    accepted: (id, seq) => this.loggedAt(id, seq),
    abandoned: (id) => this.abandoned(id),
    received: (task) => this.received(task),
    ended: (id) => this.receipts.forget(id),
    readResult: (task, reference) => this.readResult(task, reference),
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
    const records = new ClientRecords(instance);
    this.appender = new Appender<ClientItem["kind"], ClientItem>({
      connection,
      stream: subjects.stream(0),
      noun: "tasks",
      subject: (kind) => subjects.log(0, kind, sender),
      packed: (item, number) => records.packed(item, number),
      encode: (record) => records.encode(record),
      onTrouble,
    });
    this.writer = new BlobWriter({ connection, subjects, sizes: blobSizes, onTrouble });
    this.reader = new BlobReader(connection, subjects);
    this.line = new SubmitLine({
      writer: this.writer,
      add: (task) => this.appender.add("submit", task),
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
  submit<T = unknown>(name: string, input?: unknown, options: SubmitOptions = NO_OPTIONS): TaskHandle<T> {
    if (this.closing !== null) throw new ClosedError("the client");
    const submission = submissionOf(name, input, options, this.source);
    const { id } = submission;
    // An id of its own making is new.
    const known = options.id === undefined ? undefined : this.follower.get(id);
    if (known !== undefined) return known as TaskHandle<T>;
    const task = new OpenTask<T>(id, name, this.host, submission);
    this.follower.add(task as OpenTask);
    try {
      this.line.submit(task as OpenTask, submission);
    } catch (error) {
      this.follower.drop(id);
      throw error;
    }
    if (!this.receipts.isIdle) this.receipts.submitted(id, submission.dependsOn);
    if (options.keepResult === false) this.receipts.expect(id);
    return task;
  }

  /** The handle of a task that anybody submitted, any time within the retention. Settles with `UnknownTaskError` if nobody did. */
  handle<T = unknown>(id: string): TaskHandle<T> {
    if (this.closing !== null) throw new ClosedError("the client");
    const taskId = TaskId.parse(id);
    const known = this.follower.get(taskId);
    if (known !== undefined) return known as TaskHandle<T>;
    const task = new OpenTask<T>(taskId, null, this.host, null);
    this.attached.set(taskId, null);
    this.follower.attach(task as OpenTask);
    return task;
  }

  /** A new id, for a task that others depend on before it is submitted. */
  createId(): TaskId {
    const { clock, entropy } = this.connection;
    return TaskId.create(0, clock.wallMs(), entropy.character);
  }

  /** Waits until the log has everything submitted, then closes. Handles that have not settled reject with `ClosedError`. */
  close(options: CloseOptions = {}): Promise<void> {
    this.closing ??= this.shutDown(options.timeoutMs ?? CLOSE_TIMEOUT_MS);
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Told again and again while it lasts, and told to the user once. */
  private hold(): void {
    if (!this.appender.isHeld) this.onError(new AppendHeldError("tasks"));
    this.appender.hold(HOLD_MS);
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
    if (this.attached.size === 0) return;
    this.attached.get(id)?.unsubscribe();
    this.attached.delete(id);
  }

  private loggedAt(id: TaskId, seq: number): void {
    this.follower.acknowledged(seq);
    if (!this.receipts.isIdle) this.receipts.accepted(id);
    if (this.earlyCancels.size === 0) return;
    const cancel = this.earlyCancels.get(id);
    if (cancel === undefined) return;
    this.earlyCancels.delete(id);
    this.appendCancel(cancel);
  }

  private abandoned(id: TaskId): void {
    this.earlyCancels.delete(id);
    this.receipts.abandoned(id);
  }

  /** One that has settled was accepted, whoever submitted it. */
  private accept(id: TaskId): Promise<void> {
    return this.follower.get(id)?.whenAccepted() ?? Promise.resolve();
  }

  private cancel(cancel: Cancel): void {
    const { id, reason } = cancel;
    if (this.closing !== null) throw new ClosedError("the client");
    if (reason !== null && reason.length > TEXT_LENGTH_MAX) {
      throw new UsageError(`a cancel reason must be at most ${TEXT_LENGTH_MAX} characters`);
    }
    const task = this.follower.get(id);
    if (task?.isAccepted === false) this.earlyCancels.set(id, cancel);
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
    if (answer === undefined || answer.type === "unknown") {
      if (answer?.expired === "yes") throw new ResultExpiredError(id);
      return "unknown";
    }
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
    const task = this.follower.get(lastToken(message.subject) as TaskId);
    const report = task === undefined ? null : decodeProgress(message.data);
    if (report !== null) task?.progressed(report);
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
    const error: Closed = new ClosedError("the client");
    for (const task of this.follower.tasks) task.close(error);
    this.follower.close();
    await closeConnection(this.connection);
  }
}
