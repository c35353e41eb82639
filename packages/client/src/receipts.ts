/**
 * Tells the log which results this client has of tasks that it submitted with `keepResult: false`: their values need not be
 * kept any longer.
 *
 * A receipt must not overtake what this client has submitted to run on that result: it waits until the log has that.
 */
import type { TaskId } from "@weft/protocol";

type Expected = { isReceived: boolean; readonly neededBy: Set<TaskId> };

export class Receipts {
  private readonly send: (id: TaskId) => void;
  private readonly expected = new Map<TaskId, Expected>();
  /** Which of these a task depends on that is on its way to the log. */
  private readonly needs = new Map<TaskId, readonly TaskId[]>();

  constructor(send: (id: TaskId) => void) {
    this.send = send;
  }

  /** Whether no task is open whose result is to go: the usual case, in which there is nothing to do for any other task. */
  get isIdle(): boolean {
    return this.expected.size === 0 && this.needs.size === 0;
  }

  expect(id: TaskId): void {
    this.expected.set(id, { isReceived: false, neededBy: new Set() });
  }

  /** A task is on its way to the log that depends on these. */
  submitted(task: TaskId, dependsOn: readonly TaskId[]): void {
    const needed = dependsOn.filter((id) => this.expected.has(id));
    if (needed.length === 0) return;
    this.needs.set(task, needed);
    for (const id of needed) this.expected.get(id)?.neededBy.add(task);
  }

  /** The log has it. */
  accepted(task: TaskId): void {
    const needed = this.needs.get(task);
    if (needed === undefined) return;
    this.needs.delete(task);
    for (const id of needed) {
      const expected = this.expected.get(id);
      expected?.neededBy.delete(task);
      if (expected?.isReceived === true) this.sendIfFree(id, expected);
    }
  }

  /** It never gets to the log, nor will anything of it be asked for. */
  abandoned(task: TaskId): void {
    this.expected.delete(task);
    this.accepted(task);
  }

  received(id: TaskId): void {
    const expected = this.expected.get(id);
    if (expected === undefined) return;
    expected.isReceived = true;
    this.sendIfFree(id, expected);
  }

  /** It has ended without a result. */
  forget(id: TaskId): void {
    this.expected.delete(id);
  }

  private sendIfFree(id: TaskId, { neededBy }: Expected): void {
    if (neededBy.size > 0) return;
    this.expected.delete(id);
    this.send(id);
  }
}
