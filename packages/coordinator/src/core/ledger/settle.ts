/** Gives a task its outcome, and those that wait for it what follows from that. */
import type { Outcome } from "@weft/protocol";
import type { LedgerState } from "./state.ts";
import type { LiveTask, Position, SettledTask, Verdict } from "./task.ts";

export type Ending = {
  readonly outcome: Outcome;
  readonly finish: Position | null;
  readonly verdict: Verdict | null;
  readonly progress: Uint8Array | null;
  readonly value: Uint8Array | null;
};

export function release(ledger: LedgerState, task: LiveTask): void {
  task.state = "released";
  ledger.effects.push({ type: "released", task });
}

/** Settles by a verdict of the fold. */
export function end(ledger: LedgerState, task: LiveTask, outcome: Outcome, verdict: Verdict): void {
  settle(ledger, task, { outcome, finish: null, verdict, progress: null, value: null });
}

export function settle(ledger: LedgerState, first: LiveTask, ending: Ending): void {
  const open: [LiveTask, SettledTask][] = [[first, record(ledger, first, ending)]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [task, settled] = next;
    const succeeded = settled.outcome === "succeeded";
    for (const dependent of task.dependents) {
      if (dependent.state !== "waiting" || ledger.live.get(dependent.id) !== dependent) continue;
      if (succeeded) {
        if (--dependent.unmet === 0) release(ledger, dependent);
        continue;
      }
      const verdict = failedThrough(settled);
      open.push([
        dependent,
        record(ledger, dependent, { outcome: "failed", finish: null, verdict, progress: null, value: null }),
      ]);
    }
    task.dependents = [];
  }
}

function record(ledger: LedgerState, task: LiveTask, ending: Ending): SettledTask {
  const settled: SettledTask = {
    id: task.id,
    name: task.name,
    outcome: ending.outcome,
    attempt: task.attempt,
    tries: task.tries,
    submitted: task.submitted,
    settledAtMs: ledger.clock.nowMs,
    finish: ending.finish,
    verdict: ending.verdict,
  };
  ledger.live.delete(task.id);
  ledger.settled.add(settled, ending.value?.length ?? 0);
  const { progress, value } = ending;
  ledger.effects.push({ type: "settled", task: settled, owner: task.owner, progress, value });
  return settled;
}

export function failedThrough(dependency: SettledTask): Verdict {
  const { verdict } = dependency;
  const further = verdict?.type === "dependency_failed";
  return {
    type: "dependency_failed",
    dependency: dependency.id,
    root: further ? verdict.root : dependency.id,
    distance: further ? verdict.distance + 1 : 1,
  };
}
