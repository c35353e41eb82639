/** Contenders take turns in each round, so that whatever else the machine does meets all of them; who is first alternates. */
import { Rounds, type Sample, type Shapes } from "./rounds.ts";
import type { Setting } from "./workload.ts";

export type Contender<Run extends string> = {
  readonly name: string;
  /** Those that it takes part in. */
  readonly runs: readonly Run[];
  /** @returns What was measured, by shape: mostly one, named as the run. */
  readonly take: (run: Run, count: number) => Promise<Shapes<Sample>>;
};

export type Alternation<Run extends string> = {
  readonly contenders: readonly Contender<Run>[];
  readonly runs: readonly Run[];
  /** Of each run, before the first round, so that all code is compiled. */
  readonly warmUpCount: (run: Run) => number;
};

export async function alternate<Run extends string>(
  { say, amounts }: Setting,
  { contenders, runs, warmUpCount }: Alternation<Run>,
): Promise<Rounds> {
  for (const contender of contenders) {
    say(`warming up: ${contender.name}`);
    for (const run of contender.runs) await contender.take(run, warmUpCount(run));
  }
  const rounds = new Rounds();
  for (let round = 1; round <= amounts.rounds; round++) {
    say(`round ${round} of ${amounts.rounds}`);
    const order = round % 2 === 1 ? contenders : contenders.toReversed();
    for (const run of runs) {
      for (const contender of order) {
        if (contender.runs.includes(run))
          rounds.add(contender.name, await contender.take(run, amounts.count));
      }
    }
  }
  return rounds;
}
