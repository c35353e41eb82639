/**
 * Sends progress to whoever listens, at most 20 times a second per task: the first report at once, later ones when their
 * turn comes, the last one with the finish.
 */
import {
  type AttemptRef,
  encodeProgress,
  type Identity,
  type ProgressReport,
  type Subjects,
  type TaskId,
} from "@weft/protocol";
import type { Bus, Clock, Connection, Timer } from "@weft/transport";

/** What a task says of its progress. */
export type Reported = {
  readonly fraction: number;
  readonly message: string | undefined;
  readonly data: unknown;
};

/** A running attempt, and on whose progress subject it reports. */
export type Reporter = AttemptRef & { readonly owner: Identity };

type Line = {
  readonly owner: Identity;
  readonly attempt: number;
  last: ProgressReport | null;
  sent: boolean;
  sentAtMs: number;
};

const INTERVAL_MS = 50;
const SWEEP_MS = 10;

export class ProgressOutlet {
  private readonly nats: Bus;
  private readonly clock: Clock;
  private readonly subjects: Subjects;
  private readonly lines = new Map<TaskId, Line>();
  private timer: Timer | null = null;
  private stopped = false;

  constructor({ nats, clock }: Pick<Connection, "nats" | "clock">, subjects: Subjects) {
    this.nats = nats;
    this.clock = clock;
    this.subjects = subjects;
  }

  /** The caller knows that the attempt runs: most never report, and have no line here. */
  report({ id, attempt, owner }: Reporter, { fraction, message, data }: Reported): void {
    if (this.stopped) return;
    let line = this.lines.get(id);
    if (line === undefined || line.attempt !== attempt) {
      line = { owner, attempt, last: null, sent: true, sentAtMs: Number.NEGATIVE_INFINITY };
      this.lines.set(id, line);
    }
    line.last = {
      task: id,
      attempt,
      fraction,
      ...(message === undefined ? {} : { message }),
      ...(data === undefined ? {} : { data }),
    };
    line.sent = false;
    if (this.clock.nowMs() - line.sentAtMs >= INTERVAL_MS) this.send(id, line);
    else this.timer ??= this.clock.every(SWEEP_MS, () => this.sweep());
  }

  /** Takes the last report of an attempt, to ride in its finish. */
  close(id: TaskId, attempt: number): Uint8Array | null {
    const line = this.lines.size === 0 ? undefined : this.lines.get(id);
    if (line === undefined || line.attempt !== attempt) return null;
    this.lines.delete(id);
    return line.last === null ? null : encodeProgress(line.last);
  }

  /** Code that was left behind goes on reporting: nobody hears it. */
  stop(): void {
    this.stopped = true;
    this.lines.clear();
    this.rest();
  }

  private rest(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private sweep(): void {
    const nowMs = this.clock.nowMs();
    let waiting = 0;
    for (const [id, line] of this.lines) {
      if (line.sent) continue;
      if (nowMs - line.sentAtMs >= INTERVAL_MS) this.send(id, line);
      else waiting++;
    }
    if (waiting === 0) this.rest();
  }

  private send(id: TaskId, line: Line): void {
    if (line.last === null || this.nats.isClosed()) return;
    line.sent = true;
    line.sentAtMs = this.clock.nowMs();
    this.nats.publish(this.subjects.progress(line.owner, id), encodeProgress(line.last));
  }
}
