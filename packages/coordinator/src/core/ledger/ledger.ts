/**
 * The ledger: the fold of a partition's log. Pure, synchronous and total: `apply(entry) -> Effect[]`. The same log gives
 * the same state on every machine; nothing here reads a clock, a random number or anything but the records in order.
 *
 * L1 An id has at most one outcome, and an outcome never changes (I1).
 * L2 A task is released only when every dependency has succeeded (I2).
 * L3 Only a finish of the current attempt of a released task counts (I3).
 * L4 Only control records move the clock, and only those of the current epoch act.
 * L5 No recursion over data: chains of tasks are longer than any stack.
 * L6 A child of a parent that ended without success, or whose last attempt did not ask for it, is being stopped.
 * L7 What waits for a moment is known to the timers, and none of it comes due in the time that no leader ticked.
 * L8 Two folds that differ in what any record did differ in their hash from there on; the leader tells its own with each tick.
 */
import { assertNever, type LogRecord, type LogSubject } from "@weft/protocol";
import { cancelAll, cancelOrphans } from "./cancel.ts";
import { control } from "./control.ts";
import type { Effect } from "./effect.ts";
import { finishAll } from "./finish.ts";
import { receiveAll } from "./received.ts";
import { LedgerState } from "./state.ts";
import { submitAll } from "./submit.ts";

/** One record of the log with what the stream says of it. `record` is null where the bytes were not a record. */
export type LogEntry = {
  readonly seq: number;
  readonly stampMs: number;
  readonly subject: LogSubject;
  readonly record: LogRecord | null;
};

export class Ledger extends LedgerState {
  apply(entry: LogEntry): Effect[] {
    this.effects = [];
    this.seq = entry.seq;
    const { subject, record } = entry;
    const isControl = subject.kind === "control" && subject.secret === this.config.secret;
    if (isControl) this.lastControlSeq = entry.seq;
    if (record !== null) this.fold(entry, subject, record);
    cancelOrphans(this);
    this.hash.record(entry, this.effects);
    if (isControl) this.lastControlMark = this.hash.mark(entry.seq);
    return this.effects;
  }

  private fold(entry: LogEntry, subject: LogSubject, record: LogRecord): void {
    if (subject.kind === "control") {
      if (record.type !== "control") return;
      if (subject.secret !== this.config.secret) return this.void("wrong control secret");
      return control(this, entry, record);
    }
    if (record.type === "control" || record.type !== subject.kind) return;
    if (!subject.sender.endsWith(`.${record.instance}`)) return this.void("sender differs from subject");
    if (!this.senders.admit(record.instance, record.number, this.clock.nowMs)) return this.void("repeat");
    switch (record.type) {
      case "submit":
        return submitAll(this, entry.seq, subject.sender, record);
      case "cancel":
        return cancelAll(this, record);
      case "received":
        return receiveAll(this, record);
      case "finish":
        return finishAll(this, entry.seq, record);
      default:
        return assertNever(record);
    }
  }
}
