/** Why a task is where it is, in one sentence for a person. */
import { assertNever, momentText, stoppedText, timedOutText } from "@weft/protocol";
import { isLive, type Ledger, type LiveTask, type SettledTask, type Verdict } from "../core/ledger/index.ts";
import type { Scheduler } from "../core/scheduler/index.ts";
import { factsOf } from "./facts.ts";

export function because(task: LiveTask | SettledTask, ledger: Ledger, scheduler: Scheduler): string {
  if (!isLive(task))
    return task.verdict === null ? `a worker recorded it as ${task.outcome}` : byVerdict(task.verdict);
  return factsOf(task, ledger, scheduler)[0]?.text ?? `it is ${task.state}`;
}

function byVerdict(verdict: Verdict): string {
  switch (verdict.type) {
    case "dependency_failed":
      return `its dependency ${verdict.dependency} did not succeed (root of the chain: ${verdict.root})`;
    case "unknown_dependency":
      return `nobody submitted its dependency ${verdict.dependency} within a minute`;
    case "result_expired":
      return `what it depends on is not kept any more: ${verdict.task}`;
    case "log_full":
      return "half of the log was needed for what was in it already";
    case "cycle":
      return `its dependencies form a cycle: ${verdict.path.join(" -> ")}`;
    case "parent_gone":
      return `its parent ${verdict.parent} is no longer at attempt ${verdict.attempt}`;
    case "workers_lost":
      return `${verdict.losses.length} workers were lost while they ran it: ${verdict.losses
        .map(({ worker, atMs }) => `${worker} at ${momentText(atMs)}`)
        .join(", ")}`;
    case "cancelled":
      return `it was cancelled ${stoppedText(verdict.stopped)}${verdict.reason === null ? "" : `: ${verdict.reason}`}`;
    case "timed_out":
      return `it ${timedOutText(verdict.limit, verdict.ms)}`;
    default:
      return assertNever(verdict);
  }
}
