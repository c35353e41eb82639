/** Why a task is where it is, in one sentence for a person. */
import { assertNever, stoppedText } from "@weft/protocol";
import { isLive, type Ledger, type LiveTask, type SettledTask, type Verdict } from "../core/ledger/index.ts";
import { canRun, freeCredits } from "../core/scheduler/index.ts";
import type { Term } from "./term.ts";

const NAMED_MAX = 3;

export function because(task: LiveTask | SettledTask, ledger: Ledger, term: Term): string {
  if (!isLive(task))
    return task.verdict === null ? `a worker recorded it as ${task.outcome}` : byVerdict(task.verdict);
  switch (task.state) {
    case "waiting":
      return waiting(task, ledger);
    case "released":
      return released(task, term);
    case "cancelling":
      return "it is being cancelled; the worker that holds it has been told";
    default:
      return assertNever(task.state);
  }
}

function waiting(task: LiveTask, ledger: Ledger): string {
  const unmet = task.dependencies.filter((id) => ledger.settled.get(id)?.outcome !== "succeeded");
  const named = unmet.slice(0, NAMED_MAX).map((id) => {
    const dependency = ledger.live.get(id);
    return dependency === undefined
      ? `${id} (nobody has submitted it yet)`
      : `${dependency.name} ${id} (${dependency.state})`;
  });
  const more = unmet.length > NAMED_MAX ? ` and ${unmet.length - NAMED_MAX} more` : "";
  return `it waits for ${unmet.length} of ${task.dependencies.length} dependencies: ${named.join(", ")}${more}`;
}

function released(task: LiveTask, term: Term): string {
  const { scheduler } = term;
  const worker = scheduler.workerOf(task.id);
  if (worker !== null)
    return `worker ${worker.id} on ${worker.presence.host} has it (attempt ${task.attempt})`;
  if (scheduler.isHeldBack(task.id))
    return "the leader is new and asks the workers first whether one of them has it";
  const named = [...scheduler.workers.values()].filter((each) => each.names.has(task.name));
  if (named.length === 0)
    return `no live worker has the task "${task.name}" (${countOf(scheduler.workers.size, "worker")} live)`;
  const able = named.filter((each) => canRun(each, task.name, task.labels));
  if (able.length === 0)
    return `no live worker with the task "${task.name}" has the labels ${task.labels.join(", ")}`;
  if (able.every((each) => freeCredits(each) === 0))
    return able.length === 1
      ? `the one worker that can run it is busy`
      : `all ${able.length} workers that can run it are busy`;
  return "it is about to be dispatched";
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function byVerdict(verdict: Verdict): string {
  switch (verdict.type) {
    case "dependency_failed":
      return `its dependency ${verdict.dependency} did not succeed (root of the chain: ${verdict.root})`;
    case "unknown_dependency":
      return `nobody submitted its dependency ${verdict.dependency} within a minute`;
    case "cycle":
      return `its dependencies form a cycle: ${verdict.path.join(" -> ")}`;
    case "parent_gone":
      return `its parent ${verdict.parent} is no longer at attempt ${verdict.attempt}`;
    case "workers_lost":
      return `${verdict.losses} workers were lost while they ran it`;
    case "cancelled":
      return `it was cancelled ${stoppedText(verdict.stopped)}${verdict.reason === null ? "" : `: ${verdict.reason}`}`;
    default:
      return assertNever(verdict);
  }
}
