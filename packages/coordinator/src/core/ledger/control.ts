/** What a leader writes: it moves the clock, says who leads, and reports what became of attempts. */
import { assertNever, type ControlRecord } from "@weft/protocol";
import { lose } from "./finish.ts";
import type { LogEntry } from "./ledger.ts";
import { giveUpUnknown } from "./link.ts";
import type { LedgerState } from "./state.ts";

export function control(ledger: LedgerState, entry: LogEntry, record: ControlRecord): void {
  const { event } = record;
  if (event.type === "elected") {
    ledger.clock.advance(entry.stampMs, record.wallMs);
    ledger.epoch = entry.seq;
    ledger.leader = event.nonce;
    ledger.foldVersion = Math.max(ledger.foldVersion, record.foldVersion);
    ledger.effects.push({ type: "leader_elected", epoch: entry.seq, nonce: event.nonce });
    return timePassed(ledger);
  }
  if (record.epoch !== ledger.epoch || ledger.leader === null) return ledger.void("another epoch");
  ledger.clock.advance(entry.stampMs, record.wallMs);
  switch (event.type) {
    case "tick":
      break;
    case "fold_version":
      ledger.foldVersion = Math.max(ledger.foldVersion, event.version);
      break;
    case "resigned":
      ledger.leader = null;
      ledger.effects.push({ type: "leader_resigned", epoch: ledger.epoch });
      break;
    case "lost":
      for (const attempt of event.attempts) lose(ledger, attempt);
      break;
    default:
      assertNever(event);
  }
  timePassed(ledger);
}

function timePassed(ledger: LedgerState): void {
  const { nowMs } = ledger.clock;
  ledger.senders.forget(nowMs);
  for (const id of ledger.earlyCancelDeadlines.takeDue(nowMs)) ledger.earlyCancels.delete(id);
  for (const id of ledger.unknownDeadlines.takeDue(nowMs)) giveUpUnknown(ledger, id);
}
