/** What every handle of a simulation was promised and what it was told: the account that must balance in the end. */
import type { Settlement, TaskHandle } from "@weft/client";
import { type Outcome, TaskError, type TaskId } from "@weft/protocol";

/** What is known of a task when it is submitted. */
export type Expectation = {
  /** Its value, where it and all that it depends on succeed. */
  readonly value: number;
  /** Attempts below this one throw. */
  readonly failBelow: number;
  readonly dependsOn: readonly Entry[];
  /** Names a dependency that nobody submits. */
  readonly isDoomed: boolean;
};

export type Entry = Expectation & {
  readonly id: TaskId;
  readonly client: string;
  isAccepted: boolean;
  isCancelled: boolean;
  /** Its client died, and with it the handle. */
  isOrphan: boolean;
  told: number;
  outcome: Outcome | null;
  /** Its handle was told that it is not kept any more. */
  isExpired: boolean;
};

export class Account {
  readonly entries: Map<TaskId, Entry> = new Map();
  private readonly onWrong: (what: string, task: TaskId | null) => void;
  /** Whether a task was known once, and is not kept any more. */
  hasLeft: (id: TaskId) => boolean = () => false;
  /** The log lost its end: what was promised of it cannot be held. */
  tailLost = false;

  constructor(onWrong: (what: string, task: TaskId | null) => void) {
    this.onWrong = onWrong;
  }

  open(handle: TaskHandle<number>, client: string, expectation: Expectation): Entry {
    const entry: Entry = {
      ...expectation,
      id: handle.id,
      client,
      isAccepted: false,
      isCancelled: false,
      isOrphan: false,
      told: 0,
      outcome: null,
      isExpired: false,
    };
    this.entries.set(handle.id, entry);
    handle.accepted.then(
      () => {
        entry.isAccepted = true;
      },
      () => undefined,
    );
    this.follow(handle, entry);
    return entry;
  }

  /** Another client attached to the task after its own had died. */
  follow(handle: TaskHandle<number>, entry: Entry): void {
    entry.isOrphan = false;
    entry.told = 0;
    const told = (): void => {
      if (++entry.told > 1) this.onWrong(`I8: ${entry.id} was told ${entry.told} outcomes`, entry.id);
    };
    handle.onComplete(told).onError(told);
    handle.settled().then(
      (settlement) => this.settled(entry, settlement),
      () => undefined,
    );
  }

  /** Handles that have not settled and belong to a client that lives. */
  openEntries(): Entry[] {
    return [...this.entries.values()].filter((entry) => entry.outcome === null && !entry.isOrphan);
  }

  private settled(entry: Entry, { outcome, value, error }: Settlement<number>): void {
    entry.outcome = outcome;
    entry.isExpired = NOT_KEPT.has(error?.name ?? "") && this.hasLeft(entry.id);
    const fault = this.faultIn(entry, outcome, value, error);
    if (fault !== null) this.onWrong(`${entry.id} ${fault}`, entry.id);
  }

  private faultIn(entry: Entry, outcome: Outcome, value: unknown, error: Error | undefined): string | null {
    if (this.tailLost || entry.isExpired) return null;
    switch (outcome) {
      case "succeeded":
        if (entry.isDoomed) return "succeeded without a dependency that nobody submitted";
        return value === entry.value ? null : `has the value ${String(value)} instead of ${entry.value}`;
      case "cancelled":
        return entry.isCancelled ? null : "was cancelled, and nobody wanted that";
      case "failed":
        return this.mayFail(entry, error) ? null : `failed: ${error?.message}`;
      default:
        return `ended as ${outcome}: ${error?.message}`;
    }
  }

  private mayFail(entry: Entry, error: Error | undefined): boolean {
    if (entry.failBelow > 1 || entry.isDoomed) return true;
    if (causesOf(error).some((each) => each.name === "WorkersLostError" || this.isNotKept(each))) return true;
    // A dependency may have failed although its own handle has not heard of it yet.
    return entry.dependsOn.some((each) => each.outcome !== "succeeded");
  }
  /** It was to depend on what is not kept any more. */
  private isNotKept(error: Error): boolean {
    return NOT_KEPT.has(error.name) && error instanceof TaskError && this.hasLeft(error.taskId);
  }
}

function causesOf(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}

/** Of an id whose hour is ahead of the cluster's clock it is not seen that it may have expired. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  "ResultExpiredError",
  "UnknownTaskError",
  "UnknownDependencyError",
]);
