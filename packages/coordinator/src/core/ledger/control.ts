/** What a leader writes: it moves the clock, says who leads, and reports what became of attempts. */
import { assertNever, type ControlRecord, type HashMark } from "@weft/protocol";
import { carryAll } from "./carry.ts";
import { expire, lose } from "./finish.ts";
import type { LogEntry } from "./ledger.ts";
import { giveUpUnknown } from "./link.ts";
import { ownText } from "./own-text.ts";
import { evict, restamp } from "./retention.ts";
import { endTimedOut, release } from "./settle.ts";
import type { LedgerState } from "./state.ts";
import type { LiveTask } from "./task.ts";

export function control(ledger: LedgerState, entry: LogEntry, record: ControlRecord): void {
  const { event } = record;
  if (event.type === "elected") {
    moveClock(ledger, entry, record);
    ledger.epoch = entry.seq;
    ledger.leader = event.nonce;
    ledger.leaderInstance = ownText(record.instance);
    ledger.foldVersion = Math.max(ledger.foldVersion, record.foldVersion);
    ledger.effects.push({ type: "leader_elected", epoch: entry.seq, nonce: event.nonce });
    return timePassed(ledger);
  }
  const isLeaders = record.epoch === ledger.epoch && record.instance === ledger.leaderInstance;
  if (!isLeaders || ledger.leader === null) return ledger.void("another epoch");
  moveClock(ledger, entry, record);
  switch (event.type) {
    case "tick":
      compare(ledger, event.mark);
      break;
    case "fold_version":
      ledger.foldVersion = Math.max(ledger.foldVersion, event.version);
      break;
    case "settings":
      ledger.settings = event.settings;
      break;
    case "resigned":
      ledger.leader = null;
      ledger.effects.push({ type: "leader_resigned", epoch: ledger.epoch });
      break;
    case "lost":
      for (const attempt of event.attempts) lose(ledger, attempt);
      break;
    case "expired":
      for (const attempt of event.attempts) expire(ledger, attempt);
      break;
    case "carry":
      carryAll(ledger, entry.seq, event.carried);
      break;
    default:
      assertNever(event);
  }
  timePassed(ledger);
}

/** L8. A mark of another record says nothing: the leader had folded more when it was written than when it was made. */
function compare(ledger: LedgerState, told: HashMark | null): void {
  const { seq, high, low } = ledger.lastControlMark;
  if (told === null || told.seq !== seq || (told.high === high && told.low === low)) return;
  ledger.effects.push({ type: "diverged", seq });
}

function moveClock(ledger: LedgerState, { stampMs }: LogEntry, { wallMs }: ControlRecord): void {
  restamp(ledger, ledger.clock.advance(stampMs, wallMs));
}

function timePassed(ledger: LedgerState): void {
  const { nowMs } = ledger.clock;
  ledger.senders.forget(nowMs);
  for (const id of ledger.earlyCancelDeadlines.takeDue(nowMs)) ledger.earlyCancels.delete(id);
  for (const id of ledger.unknownDeadlines.takeDue(nowMs)) giveUpUnknown(ledger, id);
  for (let due = ledger.timers.takeDue(nowMs); due !== null; due = ledger.timers.takeDue(nowMs)) {
    if (due.kind === "deadline") deadlinePassed(ledger, due.task);
    else waitOver(ledger, due.task);
  }
  ledger.timers.begin(nowMs);
  evict(ledger);
}

/** Whatever it is doing: what still runs of it is void. One that is being stopped already is left to that. */
function deadlinePassed(ledger: LedgerState, task: LiveTask): void {
  if (task.state !== "cancelling") endTimedOut(ledger, task, "deadline", task.terms.deadlineMs ?? 0);
}

function waitOver(ledger: LedgerState, task: LiveTask): void {
  switch (task.state) {
    case "waiting":
      return endTimedOut(ledger, task, "dependency", task.terms.dependencyTimeoutMs);
    case "backing_off":
      return release(ledger, task);
    case "released":
      // Whether it was begun only a leader knows.
      ledger.effects.push({ type: "queue_overdue", task });
      return;
    case "cancelling":
      return;
    default:
      assertNever(task.state);
  }
}
