/**
 * Workers that were lost while nobody led: the next leader tells of them, and gives up what they held.
 *
 * A leader finds out about the same workers itself, a moment earlier or later than its standbys. So a loss is forgotten when
 * a leader was there for a while after it; one that is told twice does no harm, for the attempts are over by then.
 */
import type { Presence, Sender } from "@weft/protocol";
import type { AwakeTime } from "@weft/transport";
import type { WorkerLoss } from "./worker-watch.ts";

export type UntoldLoss = { readonly worker: Sender; readonly why: WorkerLoss; readonly last: Presence };

/** More than two coordinators differ by in what they notice. */
const TOLD_MS = 3_000;
const LOSSES_MAX = 20_000;

export class UntoldLosses {
  private readonly awake: Pick<AwakeTime, "nowMs">;
  private losses: { readonly loss: UntoldLoss; readonly atMs: number }[] = [];

  constructor(awake: Pick<AwakeTime, "nowMs">) {
    this.awake = awake;
  }

  add(loss: UntoldLoss): void {
    if (this.losses.length < LOSSES_MAX) this.losses.push({ loss, atMs: this.awake.nowMs });
  }

  /** A leader's record was folded. */
  leaderActed(): void {
    if (this.losses.length === 0) return;
    const sinceMs = this.awake.nowMs - TOLD_MS;
    this.losses = this.losses.filter(({ atMs }) => atMs > sinceMs);
  }

  /** For the one who leads now. */
  take(): UntoldLoss[] {
    const losses = this.losses.map(({ loss }) => loss);
    this.losses = [];
    return losses;
  }
}
