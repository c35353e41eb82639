/** Runs a workload in a setting of its own. */
import { machine } from "./machine.ts";
import type { Report } from "./report.ts";
import type { Rival } from "./rivals/rivals.ts";
import { Setting, type Workload } from "./workload.ts";

export type RunOptions = {
  readonly rivals: readonly Rival[];
  readonly rounds: number;
  /** Null for the workload's own. */
  readonly count: number | null;
  /** Tells how far the run is. */
  readonly say: (line: string) => void;
  /** Of replay. @default a small one */
  readonly workflow?: string | null;
  /** Null for no CPU profiles. */
  readonly profileFolder: string | null;
};

const DAY_CHARS = "2000-01-01".length;

export async function run(workload: Workload, options: RunOptions): Promise<Report> {
  const { rivals, rounds, count, say, profileFolder, workflow: file = null } = options;
  const amounts = { rounds, count: count ?? workload.defaultCount };
  await using setting = await Setting.open({
    amounts,
    rivals: workload.rivals.filter((rival) => rivals.includes(rival)),
    say: (line) => say(`${workload.name}: ${line}`),
    workflow: file,
    profileFolder,
  });
  const result = await workload.run(setting);
  return {
    name: workload.name,
    headline: workload.headline,
    taken: new Date().toISOString().slice(0, DAY_CHARS),
    machine: machine(),
    versions: setting.versions,
    settings: { ...amounts, ...result.settings },
    ...result.rounds.compare(),
  };
}
