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

/** What the subjects of some lines have in common: a task's state, or what it is that something happened to. */
type LineGroup = TaskEventState | "worker" | "coordinator";

export type TaskOfEvent = { readonly id: TaskId; readonly name: TaskName; readonly attempt: number };

/** Lines of one message; a message of NATS takes 1 MiB by default. */
const LINES_BYTES_MAX = 256 * 1024;
/** Far below what a person notices, and long enough for the messages of the turn to be on their way. */
const GATHER_MS = 20;
/** The answer to whether anybody listens comes behind what the log has to deliver: beyond that events are counted only. */
const GATHERED_MAX = 20_000;
/**
 * Where nobody listened a moment ago no more than this is gathered to ask anew: an event that is gathered takes 0.1 µs, and
 * leaves objects that nobody reads, one that is counted 0.03.
 */
const UNHEARD_MAX = 64;
const UNHEARD_FOR_MS = 500;
/** Where nobody listened to anything a moment ago it is asked less often: to ask wakes the coordinator twice. */
const UNHEARD_GATHER_MS = 100;

type Gathered = { readonly atMs: number; readonly event: object };

/** What happened lately, of one subject. */
type Line = {
  readonly subject: string;
  gathered: Gathered[];
  /** Besides those, how many there was no room for. */
  omitted: number;
  /** Nobody listened when it was asked last. */
  isUnheard: boolean;
};

export class EventOutlet {
  private readonly connection: Connection;
  private readonly subjects: Subjects;
  private readonly audience: EventAudience;
  /** By group, then by the last part of the subject: a whole subject is not written down for each event. */
  private readonly lines = new Map<LineGroup, Map<string, Line>>();
  /** What waits for an answer to whether anybody listens. */
  private asked = new Map<Line, readonly Gathered[]>();
  private count = 0;
  private timer: Timer | null = null;
  private answeredAtMs = Number.NEGATIVE_INFINITY;
  /** Nobody listened to anything when it was asked last. */
  private isAllUnheard = false;

  constructor(connection: Connection, subjects: Subjects) {
    this.connection = connection;
    this.subjects = subjects;
    this.audience = new EventAudience(connection);
  }

  /** JSON leaves out what is undefined. */
  task(state: TaskEventState, task: TaskOfEvent, worker?: Sender, because?: string): void {
    const { id, name, attempt } = task;
    const line = this.find(state, name) ?? this.open(state, name, this.subjects.taskEvent(state, name));
    const isFull = line.isUnheard && line.gathered.length >= UNHEARD_MAX;
    if (isFull || this.count >= GATHERED_MAX) line.omitted++;
    else this.add(line, { id, name, state, attempt, worker, because });
  }

  worker(kind: WorkerEventKind, worker: Sender, detail: Readonly<Record<string, unknown>>): void {
    const line = this.find("worker", kind) ?? this.open("worker", kind, this.subjects.workerEvent(kind));
    this.add(line, { worker, ...detail });
  }

  coordinator(kind: CoordinatorEventKind, coordinator: Sender, epoch: number): void {
    const line =
      this.find("coordinator", kind) ?? this.open("coordinator", kind, this.subjects.coordinatorEvent(kind));
    this.add(line, { coordinator, epoch, host: hostname(), pid: process.pid });
  }

  /** Publishes what has gathered; nothing comes after it. */
  close(): void {
    this.flush();
    this.audience.close();
  }

  /** Publishes what has gathered, at once. */
  private flush(): void {
    this.answered(null);
    for (const [line, events] of this.take()) this.publish(line.subject, events);
  }

  private find(group: LineGroup, last: string): Line | undefined {
    return this.lines.get(group)?.get(last);
  }

  private open(group: LineGroup, last: string, subject: string): Line {
    const line: Line = { subject, gathered: [], omitted: 0, isUnheard: false };
    const ofGroup = this.lines.get(group);
    if (ofGroup === undefined) this.lines.set(group, new Map([[last, line]]));
    else ofGroup.set(last, line);
    return line;
  }

  private add(line: Line, event: object): void {
    line.gathered.push({ atMs: this.connection.clock.wallMs(), event });
    this.count++;
    if (this.timer === null) this.begin();
  }

  private begin(): void {
    const { clock } = this.connection;
    // What was known of who listens is old.
    if (clock.nowMs() - this.answeredAtMs > UNHEARD_FOR_MS) {
      this.isAllUnheard = false;
      for (const ofGroup of this.lines.values()) for (const line of ofGroup.values()) line.isUnheard = false;
    }
    this.timer = clock.after(this.isAllUnheard ? UNHEARD_GATHER_MS : GATHER_MS, () => this.publishHeard());
  }

  /** Of each subject on which something happened. One on which nothing did is forgotten: there may be many names. */
  private take(): ReadonlyMap<Line, readonly Gathered[]> {
    this.timer?.cancel();
    this.timer = null;
    this.count = 0;
    const taken = new Map<Line, readonly Gathered[]>();
    for (const ofGroup of this.lines.values()) {
      for (const [last, line] of ofGroup) {
        if (line.gathered.length === 0 && line.omitted === 0) ofGroup.delete(last);
        else taken.set(line, this.takeFrom(line));
      }
    }
    return taken;
  }

  private takeFrom(line: Line): readonly Gathered[] {
    const { gathered, omitted } = line;
    line.gathered = [];
    line.omitted = 0;
    if (omitted > 0) gathered.push({ atMs: this.connection.clock.wallMs(), event: { omitted } });
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
    const firsts = new Map<string, string>();
    for (const [line, events] of this.take()) {
      const [first, ...rest] = events;
      if (rest.length === 0 || first === undefined) this.publish(line.subject, events);
      else {
        firsts.set(line.subject, lineOf(first));
        this.asked.set(line, rest);
      }
    }
    if (firsts.size === 0 || this.connection.nats.isClosed()) return;
    this.audience.ask(firsts, (unheard) => this.answered(unheard));
  }

  /** Null where no answer came. */
  private answered(unheard: ReadonlySet<string> | null): void {
    const { asked } = this;
    this.asked = new Map();
    let isAllUnheard = asked.size > 0;
    if (unheard !== null) this.answeredAtMs = this.connection.clock.nowMs();
    for (const [line, events] of asked) {
      line.isUnheard = unheard?.has(line.subject) === true;
      if (line.isUnheard) continue;
      isAllUnheard = false;
      this.publish(line.subject, events);
    }
    this.isAllUnheard = isAllUnheard;
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
