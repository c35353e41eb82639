/** The audit as a graph of tasks: what is submitted, what waits for what, and how far it is. */
import type { Client, TaskHandle } from "@weft/client";
import { Stage, type StageWatcher } from "./stage.ts";
import type * as tasks from "./tasks.ts";

export type AuditOrder = {
  /** The `node_modules` folder to audit. */
  readonly folder: string;
  /** The folder that the report goes to. */
  readonly out: string;
};

const PACKAGE_STAGES = ["read package", "detect licence", "hash files", "count bytes"] as const;
const STAGES = [
  "find packages",
  ...PACKAGE_STAGES,
  "group licences",
  "find duplicates",
  "write report",
] as const;
type StageName = (typeof STAGES)[number];

export class AuditRun {
  readonly stages: readonly Stage[] = STAGES.map((name) => new Stage(name));
  /** Tasks that a worker took along when it died, so that they were given out once more. */
  givenOutAgain = 0;
  private readonly weft: Client;
  private readonly watcher: StageWatcher;
  private readonly handles: TaskHandle[] = [];

  constructor(weft: Client, watcher: StageWatcher) {
    this.weft = weft;
    this.watcher = watcher;
  }

  get succeeded(): number {
    return sumOf(this.stages, "succeeded");
  }

  get failed(): number {
    return sumOf(this.stages, "failed");
  }

  /** Whether half of the tasks that there are for each package have succeeded. */
  get isHalfWay(): boolean {
    const stages = PACKAGE_STAGES.map((name) => this.stage(name));
    const total = sumOf(stages, "total");
    return total > 0 && 2 * sumOf(stages, "succeeded") >= total;
  }

  /** Resolves with the path of the report's page when every task has ended; null where there is none. */
  async run({ folder, out }: AuditOrder): Promise<string | null> {
    const run = this.weft.tasks<typeof tasks>();
    const found = run.findPackages(folder);
    this.follow("find packages", [found]);
    const { value: paths } = await found.settled();
    if (paths === undefined) return null;

    // Only now is it known how many there are. The rest is submitted at once: the cluster keeps the order.
    const dirs = paths.map((path) => ({ folder, path }));
    const perPackage = dirs.map((dir) => {
      const facts = run.readPackage(dir);
      const finding = run.detectLicence(dir, { dependsOn: [facts] });
      return { facts, finding, digest: run.hashFiles(dir), size: run.countBytes(dir) };
    });
    const facts = perPackage.map((each) => each.facts);
    const findings = perPackage.map((each) => each.finding);
    const digests = perPackage.map((each) => each.digest);
    const sizes = perPackage.map((each) => each.size);

    const packages = dirs.length;
    const licences = run.groupLicences(packages, { dependsOn: [...findings, ...sizes] });
    const duplicates = run.findDuplicates(packages, { dependsOn: [...facts, ...digests, ...sizes] });
    const report = run.writeReport(
      { packages, folder, out, takenAt: new Date().toISOString() },
      { dependsOn: [...findings, ...digests, ...sizes, licences, duplicates] },
    );

    this.follow("read package", facts);
    this.follow("detect licence", findings);
    this.follow("hash files", digests);
    this.follow("count bytes", sizes);
    this.follow("group licences", [licences]);
    this.follow("find duplicates", [duplicates]);
    this.follow("write report", [report]);
    for (const handle of this.handles) {
      const { attempt } = await handle.settled();
      if (attempt > 1) this.givenOutAgain++;
    }
    const { value: page } = await report.settled();
    return page ?? null;
  }

  private follow(name: StageName, handles: readonly TaskHandle[]): void {
    this.handles.push(...handles);
    this.stage(name).follow(handles, this.watcher);
  }

  private stage(name: StageName): Stage {
    const stage = this.stages[STAGES.indexOf(name)];
    if (stage === undefined) throw new Error(`there is no stage ${name}`);
    return stage;
  }
}

function sumOf(stages: readonly Stage[], count: "succeeded" | "failed" | "total"): number {
  return stages.reduce((sum, stage) => sum + (stage[count] ?? 0), 0);
}
