/** A settled task that is kept as an object, as a row of a checkpoint. */
import { OUTCOMES, type TaskName } from "@weft/protocol";
import type { SettledTask } from "../ledger/task.ts";
import type { StateReader } from "./state-reader.ts";
import type { StateWriter } from "./state-writer.ts";
import { loadVerdict, saveVerdict } from "./verdict-row.ts";

export function saveSettled(to: StateWriter, task: SettledTask): void {
  to.id(task.id);
  to.word(task.name);
  to.byte(OUTCOMES.indexOf(task.outcome));
  to.count(task.attempt);
  to.count(task.tries);
  to.count(task.submitted.seq);
  to.count(task.submitted.index);
  to.count(task.settledAtMs);
  to.flag(task.finish !== null);
  if (task.finish !== null) {
    to.count(task.finish.seq);
    to.count(task.finish.index);
  }
  to.flag(task.verdict !== null);
  if (task.verdict !== null) saveVerdict(to, task.verdict);
}

/** The fields are read in the order in which they stand here. */
export function loadSettled(from: StateReader): SettledTask {
  return {
    id: from.id(),
    name: from.word() as TaskName,
    outcome: from.oneOf(OUTCOMES),
    attempt: from.count(),
    tries: from.count(),
    submitted: { seq: from.count(), index: from.count() },
    settledAtMs: from.count(),
    finish: from.flag() ? { seq: from.count(), index: from.count() } : null,
    verdict: from.flag() ? loadVerdict(from) : null,
  };
}
