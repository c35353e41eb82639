/** One stage of the audit: many tasks of one kind, counted through the callbacks of their handles. */
import type { TaskHandle } from "@weft/client";

export type StageWatcher = {
  readonly onChange: () => void;
  readonly onFailure: (error: Error) => void;
};

export class Stage {
  readonly name: string;
  /** Null until its tasks are submitted. */
  total: number | null = null;
  succeeded = 0;
  failed = 0;
  /** How far the tasks are that run now. */
  private readonly running = new Map<string, number>();

  constructor(name: string) {
    this.name = name;
  }

  /** From 0 to 1, with what is under way. */
  get fraction(): number {
    if (this.total === null) return 0;
    if (this.total === 0) return 1;
    let underWay = 0;
    for (const fraction of this.running.values()) underWay += fraction;
    return (this.succeeded + this.failed + underWay) / this.total;
  }

  get isOver(): boolean {
    return this.succeeded + this.failed === this.total;
  }

  /** Follows the handles, which are all of this stage. */
  follow(handles: readonly TaskHandle[], { onChange, onFailure }: StageWatcher): void {
    this.total = handles.length;
    onChange();
    for (const handle of handles) {
      handle
        .onProgress(({ fraction }) => {
          this.running.set(handle.id, fraction);
          onChange();
        })
        .onComplete(() => {
          this.running.delete(handle.id);
          this.succeeded++;
          onChange();
        })
        .onError((error) => {
          this.running.delete(handle.id);
          this.failed++;
          onFailure(error);
          onChange();
        });
    }
  }
}
