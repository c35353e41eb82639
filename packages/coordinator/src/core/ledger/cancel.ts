/** Stops tasks that somebody no longer wants. */
import type { CancelRecord, TaskId } from "@weft/protocol";
import { end } from "./settle.ts";
import type { LedgerState } from "./state.ts";

const EARLY_CANCELS_MAX = 100_000;

export function cancelAll(ledger: LedgerState, record: CancelRecord): void {
  for (const { id, reason } of record.cancels) {
    const task = ledger.live.get(id);
    if (task === undefined) {
      if (ledger.settled.has(id)) ledger.void("cancel of a settled task");
      else cancelEarly(ledger, id, reason);
    } else if (task.state === "waiting") {
      end(ledger, task, "cancelled", { type: "cancelled", reason, stopped: "before_release" });
    } else if (task.state === "released") {
      task.state = "cancelling";
      task.cancelReason = reason;
      ledger.effects.push({ type: "cancelling", task });
    }
  }
}

function cancelEarly(ledger: LedgerState, id: TaskId, reason: string | null): void {
  if (ledger.earlyCancels.size >= EARLY_CANCELS_MAX) return;
  ledger.earlyCancels.set(id, reason);
  ledger.earlyCancelDeadlines.add(id);
}
