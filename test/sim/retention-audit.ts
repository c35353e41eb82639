/** Holds the fold to the retention, by a list of its own: what left too early, what stays too long, what was purged although it is needed. */
import type { TaskId } from "@weft/protocol";
import type { Effect, Ledger } from "../../packages/coordinator/src/core/ledger/index.ts";

/** In a longer pause nobody led: what settled in it has settled at its end. */
const PAUSE_MS = 60_000;

export class RetentionAudit {
  private readonly onWrong: (what: string, task: TaskId | null) => void;
  /** What is settled and has not left, with the moment, by the ledger's clock, at which it settled. */
  private readonly held = new Map<TaskId, number>();
  private readonly left = new Set<TaskId>();
  private lastMs = 0;

  constructor(onWrong: (what: string, task: TaskId | null) => void) {
    this.onWrong = onWrong;
  }

  get leftCount(): number {
    return this.left.size;
  }

  hasLeft(id: TaskId): boolean {
    return this.left.has(id);
  }

  settled(effects: readonly Effect[], nowMs: number): void {
    for (const effect of effects) if (effect.type === "settled") this.held.set(effect.task.id, nowMs);
  }

  /** After a control record, before anything else may settle. */
  clockMoved(ledger: Ledger): void {
    const { nowMs } = ledger.clock;
    const pausedMs = nowMs - this.lastMs;
    const needed = new Set([...ledger.live].flatMap(({ dependencies }) => dependencies));
    const { retentionMs, retentionMinMs } = ledger.settings;
    for (const [id, atMs] of this.held) {
      const since = atMs === this.lastMs && pausedMs >= PAUSE_MS ? nowMs : atMs;
      this.held.set(id, since);
      const ageMs = nowMs - since;
      if (!ledger.settled.has(id)) {
        this.held.delete(id);
        this.left.add(id);
        if (ageMs < Math.min(retentionMs, retentionMinMs))
          this.onWrong(`${id} has left ${ageMs} ms after it settled`, id);
      } else if (ageMs >= retentionMs && !needed.has(id))
        this.onWrong(`${id} is still there ${ageMs} ms after it settled`, id);
    }
    for (const id of needed)
      if (this.left.has(id) && !ledger.unknown.has(id)) this.onWrong(`${id} has left, and is needed`, id);
    this.lastMs = nowMs;
  }

  /** What the log must still have. */
  purged(ledger: Ledger, firstSeq: number): void {
    for (const { id, submitted } of ledger.live)
      if (submitted.seq < firstSeq) this.onWrong(`the arguments of ${id} are purged, and it is live`, id);
    for (const { id, finish } of ledger.settled.values())
      if (finish !== null && finish.seq < firstSeq)
        this.onWrong(`the value of ${id} is purged, and it is kept`, id);
  }
}
