/**
 * Events for people, as JSON lines on the monitoring subjects, one message per subject and a few milliseconds. Lost ones
 * are not repeated.
 *
 * They are written down after the messages that tasks wait for have left, not before.
 */
import { hostname } from "node:os";
import type {
  CoordinatorEventKind,
  Sender,
  Subjects,
  TaskId,
  TaskName,
  TaskState,
  WorkerEventKind,
} from "@weft/protocol";
import type { Connection, Timer } from "@weft/transport";

/** States that are told besides those of the ledger: where an attempt went, and that it ended without an outcome. */
type TaskEventState = TaskState | "submitted" | "dispatched" | "reopened";

export type TaskEvent = {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly state: TaskEventState;
  readonly attempt: number;
  readonly worker?: Sender;
  readonly because?: string;
};

/** Lines of one message; a message of NATS takes 1 MiB by default. */
const LINES_BYTES_MAX = 256 * 1024;
/** Far below what a person notices, and long enough for the messages of the turn to be on their way. */
const GATHER_MS = 20;
const GATHERED_MAX = 1_000;

type Gathered = { readonly subject: string; readonly atMs: number; readonly event: object };

export class EventOutlet {
  private readonly connection: Connection;
  private readonly subjects: Subjects;
  private gathered: Gathered[] = [];
  private timer: Timer | null = null;

  constructor(connection: Connection, subjects: Subjects) {
    this.connection = connection;
    this.subjects = subjects;
  }

  task(event: TaskEvent): void {
    this.add(this.subjects.taskEvent(event.state, event.name), event);
  }

  worker(kind: WorkerEventKind, worker: Sender, detail: Readonly<Record<string, unknown>>): void {
    this.add(this.subjects.workerEvent(kind), { worker, ...detail });
  }

  coordinator(kind: CoordinatorEventKind, coordinator: Sender, epoch: number): void {
    this.add(this.subjects.coordinatorEvent(kind), {
      coordinator,
      epoch,
      host: hostname(),
      pid: process.pid,
    });
  }

  /** Publishes what has gathered, at once. */
  flush(): void {
    this.timer?.cancel();
    this.timer = null;
    const { gathered } = this;
    const { nats } = this.connection;
    this.gathered = [];
    if (gathered.length === 0 || nats.isClosed()) return;
    const lines = new Map<string, string>();
    for (const { subject, atMs, event } of gathered) {
      const line = `${JSON.stringify({ at: new Date(atMs).toISOString(), ...event })}\n`;
      const before = lines.get(subject) ?? "";
      const isFull = before.length + line.length > LINES_BYTES_MAX;
      if (isFull) nats.publish(subject, before);
      lines.set(subject, isFull ? line : before + line);
    }
    for (const [subject, text] of lines) nats.publish(subject, text);
  }

  private add(subject: string, event: object): void {
    this.gathered.push({ subject, atMs: this.connection.clock.wallMs(), event });
    if (this.gathered.length >= GATHERED_MAX) this.flush();
    else this.timer ??= this.connection.clock.after(GATHER_MS, () => this.flush());
  }
}
