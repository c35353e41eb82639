/**
 * Results that need not be kept once whoever submitted their task has them: the value goes, and what is known of the task
 * stays as long as that of any other.
 *
 * R3 What a live task depends on is not freed: its result goes with the last of them.
 */
import type { ReceivedRecord, TaskId } from "@weft/protocol";
import type { LedgerState } from "./state.ts";
import { isFreed } from "./task.ts";

export function receiveAll(ledger: LedgerState, { ids }: ReceivedRecord): void {
  for (const id of ids) {
    const task = ledger.settled.get(id);
    if (task === undefined || task.outcome !== "succeeded" || isFreed(task))
      ledger.void("receipt of a result that is not there");
    else if (ledger.settled.pins(id) > 0) ledger.received.add(task.id);
    else free(ledger, task.id);
  }
}

/** A live task that depended on it has settled. */
export function freeIfReceived(ledger: LedgerState, id: TaskId): void {
  if (ledger.settled.pins(id) > 0 || !ledger.received.delete(id)) return;
  if (ledger.settled.has(id)) free(ledger, id);
}

function free(ledger: LedgerState, id: TaskId): void {
  const { settled, carried } = ledger;
  const seq = settled.get(id)?.finish?.seq ?? 0;
  carried.drop(seq, settled.freeValue(id));
  ledger.effects.push({ type: "freed", id });
}
