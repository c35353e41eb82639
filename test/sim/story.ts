/** Tells what happened: to one task, and to the cluster. */
import type { TaskId } from "@weft/protocol";
import type { Auditor } from "./auditor.ts";

const LINES_MAX = 400;

/** Notes of the simulated cluster, the newest ones kept. */
export class Notes {
  private readonly lines: string[] = [];
  private readonly nowMs: () => number;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  add(line: string): void {
    this.lines.push(`${(this.nowMs() / 1_000).toFixed(3).padStart(9)} s  ${line}`);
    if (this.lines.length > 2 * LINES_MAX) this.lines.splice(0, LINES_MAX);
  }

  all(): readonly string[] {
    return this.lines.slice(-LINES_MAX);
  }
}

export function storyOf(auditor: Auditor, id: TaskId): string[] {
  const chapters = auditor.story(id);
  if (chapters.length === 0) return [`task ${id} is not in the log`];
  return chapters.map(
    ({ seq, record, effects }) => `record ${seq}: ${record} -> ${effects.join(", ") || "nothing"}`,
  );
}
