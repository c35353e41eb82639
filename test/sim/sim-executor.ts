/** Runs the tasks of a simulation: their arguments say how long they take and how they end. */
import { decodeValue, encodeValue } from "@weft/protocol";
import type { SimProcess } from "@weft/testing/simulation";
import type { Executor, Run } from "../../packages/worker/src/executors/executor.ts";
import { type AttemptEnd, type AttemptInput, failedWith } from "../../packages/worker/src/run-attempt.ts";

/** The input of every simulated task. */
export type SimInput = {
  readonly takeMs: number;
  /** Attempts below this one throw. */
  readonly failBelow: number;
  readonly add: number;
  /** Whether the code stops when it is asked to. */
  readonly heeds: boolean;
};

/** Told of every run as it begins and ends. */
export type RunWitness = {
  readonly began: (run: SimRun) => void;
  readonly ended: (run: SimRun) => void;
};

export type SimRun = {
  readonly process: SimProcess;
  readonly input: AttemptInput;
  readonly beganAtMs: number;
  /** Since when somebody wants it stopped. */
  cancelledAtMs: number | null;
};

export function simExecutor(process: SimProcess, witness: RunWitness): Executor {
  return {
    run: (_task, input) => start(process, witness, input),
    close: async () => undefined,
  };
}

function start(process: SimProcess, witness: RunWitness, input: AttemptInput): Run {
  const { clock } = process;
  const { takeMs, failBelow, add, heeds } = decodeValue(input.args) as SimInput;
  const run: SimRun = { process, input, beganAtMs: clock.nowMs(), cancelledAtMs: null };
  const { promise: end, resolve } = Promise.withResolvers<AttemptEnd>();
  let isOver = false;
  const finish = (how: AttemptEnd): boolean => {
    if (isOver) return false;
    isOver = true;
    timer.cancel();
    witness.ended(run);
    resolve(how);
    return true;
  };
  const timer = clock.after(takeMs, () => {
    if (input.attempt < failBelow) finish(failedWith(new Error(`attempt ${input.attempt} fails`)));
    else finish({ outcome: "succeeded", value: encodeValue(sumOf(input, add), "the result"), failure: null });
  });
  witness.began(run);
  return {
    end,
    stop: () => {
      run.cancelledAtMs ??= clock.nowMs();
      if (heeds) clock.after(1, () => finish({ outcome: "cancelled", value: null, failure: null }));
    },
    terminate: () => finish({ outcome: "terminated", value: null, failure: null }),
  };
}

function sumOf(input: AttemptInput, add: number): number {
  let sum = add;
  for (const dep of input.deps) sum += dep === null ? Number.NaN : Number(decodeValue(dep));
  return sum;
}
