/** Every run of task code in a simulation, as it begins and ends: what a worker may run, and when it must have stopped. */
import type { TaskId } from "@weft/protocol";
import type { SimLoop } from "@weft/testing/simulation";
import type { Account } from "./account.ts";
import type { Auditor } from "./auditor.ts";
import type { Plan } from "./plan.ts";
import type { RunWitness, SimRun } from "./sim-executor.ts";

export type RunRegisterOptions = {
  readonly loop: SimLoop;
  readonly plan: Plan;
  readonly auditor: Auditor;
  readonly account: Account;
  readonly onWrong: (what: string, task: TaskId | null) => void;
};

export class RunRegister implements RunWitness {
  private readonly options: RunRegisterOptions;
  private readonly running = new Set<SimRun>();

  constructor(options: RunRegisterOptions) {
    this.options = options;
  }

  began(run: SimRun): void {
    const { auditor, account, plan, onWrong } = this.options;
    const { id } = run.input;
    this.running.add(run);
    const here = [...this.running].filter(
      (each) => each.process === run.process && each.cancelledAtMs === null,
    );
    if (here.length > plan.slots)
      onWrong(`I5: ${run.process.name} runs ${here.length} tasks in ${plan.slots} slots`, id);
    if (plan.isCalm) this.checkOnce(run);
    if (account.tailLost) return;
    for (const dependency of account.entries.get(id)?.dependsOn ?? [])
      if (auditor.outcomeOf(dependency.id) !== "succeeded")
        onWrong(`I2: ${id} runs before its dependency ${dependency.id} has succeeded`, id);
  }

  /** A leader that takes over lets workers say what they hold before it gives anything out. */
  private checkOnce({ input: { id, attempt }, process }: SimRun): void {
    for (const other of this.running)
      if (other.process !== process && other.input.id === id && other.input.attempt === attempt)
        this.options.onWrong(
          `attempt ${attempt} of ${id} runs in ${process.name} and ${other.process.name}`,
          id,
        );
  }

  /** Of living workers, in the order in which they began. */
  current(): SimRun[] {
    return [...this.running].filter(({ process }) => !process.isKilled);
  }

  ended(run: SimRun): void {
    this.running.delete(run);
  }

  /** Runs on living workers of tasks that have settled: the grace of every cancel is over (I9). */
  leftovers(): SimRun[] {
    const { auditor } = this.options;
    return [...this.running].filter(
      ({ input, process }) => !process.isKilled && auditor.outcomeOf(input.id) !== null,
    );
  }
}
