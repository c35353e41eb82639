/** The audit as a graph of tasks: what is submitted, what waits for what, and how far it is. */
import type { Client, TaskHandle } from "@weft/client";
import { Stage, type StageFailure } from "./stage.ts";
import type * as tasks from "./tasks.ts";

export type AuditOrder = {
  /** The `node_modules` folder to audit. */
  readonly folder: string;
  /** The folder that the report goes to. */
  readonly out: string;
};

export type AuditWatcher = {
  readonly onChange: () => void;
  readonly onFailure: (stage: Stage, failure: StageFailure) => void;
};

const STAGES = [
  "list packages",
  "read package",
  "detect licence",
  "hash files",
  "count bytes",
  "group licences",
  "find duplicates",
  "write report",
] as const;
type StageName = (typeof STAGES)[number];

export class AuditRun {
  readonly stages: readonly Stage[] = STAGES.map((name) => new Stage(name));
  private readonly weft: Client;
  private readonly watcher: AuditWatcher;
  private readonly handles: TaskHandle[] = [];

  constructor(weft: Client, watcher: AuditWatcher) {
    this.weft = weft;
    this.watcher = watcher;
  }

  get succeeded(): number {
    return this.stages.reduce((sum, stage) => sum + stage.succeeded, 0);
  }

  get failed(): number {
    return this.stages.reduce((sum, stage) => sum + stage.failed, 0);
  }

  /** How much is done of what is done once per package, from 0 to 1. */
  get packagesFraction(): number {
    const perPackage = this.stages.slice(1, 5);
    return perPackage.reduce((sum, stage) => sum + stage.fraction, 0) / perPackage.length;
  }

  /** Resolves with the report's page when every task has ended; null where there is none. */
  async run({ folder, out }: AuditOrder): Promise<string | null> {
    const run = this.weft.tasks<typeof tasks>();
    const listed = this.follow("list packages", [run.listPackages(folder)]);
    const { value: paths } = (await listed[0]?.settled()) ?? {};
    if (paths === undefined) return null;
    const dirs = paths.map((path) => ({ folder, path }));
    const packages = dirs.length;

    const facts = this.follow(
      "read package",
      dirs.map((dir) => run.readPackage(dir)),
    );
    const findings = this.follow(
      "detect licence",
      dirs.map((dir, index) => run.detectLicence(dir, { dependsOn: facts.slice(index, index + 1) })),
    );
    const digests = this.follow(
      "hash files",
      dirs.map((dir) => run.hashFiles(dir)),
    );
    const sizes = this.follow(
      "count bytes",
      dirs.map((dir) => run.countBytes(dir)),
    );
    const licences = this.follow("group licences", [
      run.groupLicences(packages, { dependsOn: [...findings, ...sizes] }),
    ]);
    const duplicates = this.follow("find duplicates", [
      run.findDuplicates(packages, { dependsOn: [...facts, ...digests, ...sizes] }),
    ]);
    const order = { packages, folder, out, takenAt: new Date().toISOString() };
    const [report] = this.follow("write report", [
      run.writeReport(order, { dependsOn: [...findings, ...digests, ...sizes, ...licences, ...duplicates] }),
    ]);

    for (const handle of this.handles) await handle.settled();
    const { value: page } = (await report?.settled()) ?? {};
    return page ?? null;
  }

  private follow<T>(name: StageName, handles: readonly TaskHandle<T>[]): readonly TaskHandle<T>[] {
    const stage = this.stages[STAGES.indexOf(name)];
    if (stage === undefined) throw new Error(`there is no stage ${name}`);
    stage.follow(handles, this.watcher.onChange, (failure) => this.watcher.onFailure(stage, failure));
    this.handles.push(...handles);
    return handles;
  }
}
