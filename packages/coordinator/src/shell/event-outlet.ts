/** Events for people, as JSON lines on the monitoring subjects, one message per subject and turn. Lost ones are not repeated. */
import { hostname } from "node:os";
import type { NatsConnection } from "@nats-io/transport-node";
import type {
  CoordinatorEventKind,
  Sender,
  Subjects,
  TaskId,
  TaskName,
  TaskState,
  WorkerEventKind,
} from "@weft/protocol";

/** States that are told besides those of the ledger: where an attempt went, and that it ended without an outcome. */
export type TaskEventState = TaskState | "submitted" | "dispatched" | "reopened";

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

export class EventOutlet {
  private readonly nats: NatsConnection;
  private readonly subjects: Subjects;
  private readonly lines = new Map<string, string>();

  constructor(nats: NatsConnection, subjects: Subjects) {
    this.nats = nats;
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

  flush(): void {
    if (this.lines.size === 0 || this.nats.isClosed()) return;
    for (const [subject, text] of this.lines) this.nats.publish(subject, text);
    this.lines.clear();
  }

  private add(subject: string, event: object): void {
    const line = `${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`;
    const before = this.lines.get(subject) ?? "";
    if (before.length + line.length > LINES_BYTES_MAX) {
      this.nats.publish(subject, before);
      this.lines.set(subject, line);
    } else this.lines.set(subject, before + line);
  }
}
