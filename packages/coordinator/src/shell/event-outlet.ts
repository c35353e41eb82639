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
import { EventAudience } from "./event-audience.ts";

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
/** Beyond that they are written down unasked: then they wait for answers for too long. */
const GATHERED_MAX = 20_000;

type Gathered = { readonly atMs: number; readonly event: object };

export class EventOutlet {
  private readonly connection: Connection;
  private readonly subjects: Subjects;
  private readonly audience: EventAudience;
  private gathered = new Map<string, Gathered[]>();
  /** What waits for an answer to whether anybody listens. */
  private asked = new Map<string, readonly Gathered[]>();
  private count = 0;
  private timer: Timer | null = null;

  constructor(connection: Connection, subjects: Subjects) {
    this.connection = connection;
    this.subjects = subjects;
    this.audience = new EventAudience(connection);
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

  /** Publishes what has gathered; nothing comes after it. */
  close(): void {
    this.flush();
    this.audience.close();
  }

  /** Publishes what has gathered, at once. */
  private flush(): void {
    this.answered(new Set());
    for (const [subject, events] of this.take()) this.publish(subject, events);
  }

  private add(subject: string, event: object): void {
    const events = this.gathered.get(subject);
    const gathered = { atMs: this.connection.clock.wallMs(), event };
    if (events === undefined) this.gathered.set(subject, [gathered]);
    else events.push(gathered);
    if (++this.count >= GATHERED_MAX) this.flush();
    else this.timer ??= this.connection.clock.after(GATHER_MS, () => this.publishHeard());
  }

  private take(): ReadonlyMap<string, readonly Gathered[]> {
    const { gathered } = this;
    this.timer?.cancel();
    this.timer = null;
    this.gathered = new Map();
    this.count = 0;
    return gathered;
  }

  /** Most clusters have nobody who watches, and lines take longer to write down than tasks to account for. */
  private publishHeard(): void {
    this.timer = null;
    // The lines of a subject stay in order: these go with the next ones.
    if (this.audience.isAsking) {
      this.timer = this.connection.clock.after(GATHER_MS, () => this.publishHeard());
      return;
    }
    const gathered = this.take();
    const firsts = new Map<string, string>();
    for (const [subject, events] of gathered) {
      const [first, ...rest] = events;
      if (rest.length === 0 || first === undefined) this.publish(subject, events);
      else {
        firsts.set(subject, lineOf(first));
        this.asked.set(subject, rest);
      }
    }
    if (firsts.size === 0 || this.connection.nats.isClosed()) return;
    this.audience.ask(firsts, (unheard) => this.answered(unheard));
  }

  private answered(unheard: ReadonlySet<string>): void {
    const { asked } = this;
    this.asked = new Map();
    for (const [subject, events] of asked) if (!unheard.has(subject)) this.publish(subject, events);
  }

  private publish(subject: string, events: readonly Gathered[]): void {
    const { nats } = this.connection;
    if (nats.isClosed()) return;
    let lines = "";
    for (const each of events) {
      const line = lineOf(each);
      if (lines.length > 0 && lines.length + line.length > LINES_BYTES_MAX) {
        nats.publish(subject, lines);
        lines = "";
      }
      lines += line;
    }
    nats.publish(subject, lines);
  }
}

function lineOf({ atMs, event }: Gathered): string {
  return `${JSON.stringify({ at: new Date(atMs).toISOString(), ...event })}\n`;
}
