/** What every handle of a simulation was promised and what it was told: the account that must balance in the end. */
import type { Settlement, TaskHandle } from "@weft/client";
import { type Outcome, TaskError, type TaskId, TaskTimedOutError } from "@weft/protocol";

export type Limit = TaskTimedOutError["limit"];

/** What is known of a task when it is submitted. */
export type Expectation = {
  /** Its value, where it and all that it depends on succeed. */
  readonly value: number;
  /** It has fewer tries than it would take. */
  readonly mayThrow: boolean;
  readonly dependsOn: readonly Entry[];
  /** Names a dependency that nobody submits. */
  readonly isDoomed: boolean;
  readonly limits: readonly Limit[];
  readonly keepsResult: boolean;
  /** The task whose code submitted it. */
  readonly parent: Entry | null;
};

export type Entry = Expectation & {
  readonly id: TaskId;
  readonly client: string;
  isAccepted: boolean;
  isCancelled: boolean;
  /** It was cancelled with what waits for it. */
  takesDependents: boolean;
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
  /** Whether a task was known once, and is not kept any more, or its result is not. */
  hasLeft: (id: TaskId) => boolean = () => false;
  /** What the log says of a task; null where that is nothing yet. */
  recorded: (id: TaskId) => Outcome | null = () => null;
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
      takesDependents: false,
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

  /** Its result is not kept any more: whoever submitted it has it, and said so. */
  freed(id: TaskId): void {
    const entry = this.entries.get(id);
    if (this.tailLost || (entry?.outcome === "succeeded" && !entry.keepsResult)) return;
    this.onWrong(`the result of ${id} is gone, and its client has not got it`, id);
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
        return this.mayBeCancelled(entry) ? null : "was cancelled, and nobody wanted that";
      case "failed":
        return this.mayFail(entry, error) ? null : `failed: ${error?.message}`;
      case "timed_out":
        return error instanceof TaskTimedOutError && entry.limits.includes(error.limit)
          ? null
          : `timed out, and had no such limit: ${error?.message}`;
      case "rejected":
        return entry.parent !== null && causesOf(error).some(({ name }) => name === "ParentGoneError")
          ? null
          : `was rejected: ${error?.message}`;
      default:
        return `ended as ${outcome}: ${error?.message}`;
    }
  }

  private mayFail(entry: Entry, error: Error | undefined): boolean {
    // Code that throws while somebody wants it stopped is not tried again.
    if (entry.mayThrow || entry.isDoomed || this.mayBeCancelled(entry)) return true;
    if (causesOf(error).some((each) => each.name === "WorkersLostError" || this.isNotKept(each))) return true;
    // A dependency may have failed although its own handle has not heard of it yet.
    return entry.dependsOn.some((each) => each.outcome !== "succeeded");
  }

  /** It, or a task above it that took it along, or its parent is over. */
  private mayBeCancelled(entry: Entry): boolean {
    const { parent, isCancelled, dependsOn } = entry;
    if (isCancelled || dependsOn.some(takesDependents)) return true;
    return parent !== null && (this.recorded(parent.id) !== null || this.mayBeCancelled(parent));
  }

  /** It was to depend on what is not kept any more. */
  private isNotKept(error: Error): boolean {
    return NOT_KEPT.has(error.name) && error instanceof TaskError && this.hasLeft(error.taskId);
  }
}

/** What waits for it may be cancelled with it: with its own cancel, or with that of something that takes it along. */
function takesDependents(entry: Entry): boolean {
  const { parent, dependsOn } = entry;
  if (entry.takesDependents) return true;
  return dependsOn.some(takesDependents) || (parent !== null && takesDependents(parent));
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
