/**
 * The live tasks of a ledger in a checkpoint: all their ids, then a row each. A dependency is named by how many rows away
 * it is, by its place among the ids that nobody has submitted, or, where it has settled, by its id.
 *
 * What points to tasks is made again from the rows: who waits for whom, children, timers. The ledger keeps all of these
 * in the order of the tasks' age, or in none that anything hangs on.
 */
import { DefectError, type TaskId } from "@weft/protocol";
import { bear } from "../ledger/children.ts";
import { NOBODY, withDependent } from "../ledger/dependents.ts";
import type { LedgerState } from "../ledger/state.ts";
import type { LiveTask } from "../ledger/task.ts";
import { loadRows, saveRows } from "./rows.ts";
import { refuse, type StateReader } from "./state-reader.ts";
import type { StateWriter } from "./state-writer.ts";
import { TaskRowReader, TaskRowWriter } from "./task-row.ts";

/** How a dependency is named: in the two lowest bits, its number above. */
const SETTLED = 0;
const UNKNOWN = 1;
const OLDER = 2;
const YOUNGER = 3;
const KINDS = 4;

export function* saveLive(ledger: LedgerState, to: StateWriter): Generator<void> {
  const { live, timers } = ledger;
  const orders = new Float64Array(live.size);
  let count = 0;
  yield* saveRows(to, live, live.size, ({ id, order }) => {
    to.id(id);
    orders[count++] = order;
  });
  const unknown = new Map([...ledger.unknown.keys()].map((id, number) => [id, number]));
  let row = 0;
  const writer = new TaskRowWriter(to, {
    freshWaitMs: (task) => timers.freshWaitMs(task),
    saveDependency(id) {
      const task = live.get(id);
      if (task !== undefined) {
        const away = rowOf(orders, task.order) - row;
        return to.count(Math.abs(away) * KINDS + (away < 0 ? OLDER : YOUNGER));
      }
      const number = unknown.get(id);
      if (number !== undefined) return to.count(number * KINDS + UNKNOWN);
      to.count(SETTLED);
      to.id(id);
    },
  });
  yield* saveRows(to, live, live.size, (task) => {
    writer.save(task);
    row++;
  });
}

/** Live tasks stand in the order of their age. */
function rowOf(orders: Float64Array, order: number): number {
  let low = 0;
  let high = orders.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((orders[middle] ?? 0) < order) low = middle + 1;
    else high = middle;
  }
  if (orders[low] !== order) throw new DefectError("live tasks are not in the order of their age");
  return low;
}

export function* loadLive(ledger: LedgerState, from: StateReader): Generator<void> {
  const ids: TaskId[] = [];
  yield* loadRows(from, () => void ids.push(from.id()));
  const reader = new LiveReader(ledger, from, ids);
  yield* loadRows(from, (row) => reader.load(row));
  reader.done();
}

class LiveReader {
  private readonly ledger: LedgerState;
  private readonly ids: readonly TaskId[];
  private readonly unknown: readonly TaskId[];
  private readonly rows: TaskRowReader;
  private readonly tasks: LiveTask[] = [];
  /** Those that wait for a task whose row is still to come, by that row. */
  private readonly early = new Map<number, readonly LiveTask[]>();
  /** What the row at hand waits for: the lists that it has to stand in. */
  private readonly olderRows: number[] = [];
  private readonly youngerRows: number[] = [];
  private readonly unknownIds: TaskId[] = [];

  constructor(ledger: LedgerState, from: StateReader, ids: readonly TaskId[]) {
    this.ledger = ledger;
    this.ids = ids;
    this.unknown = [...ledger.unknown.keys()];
    this.rows = new TaskRowReader(from, () => this.loadDependency(from));
  }

  load(row: number): void {
    const { ledger, tasks } = this;
    const id = this.ids[row] ?? refuse("there are more tasks than ids");
    const { task, freshWaitMs } = this.rows.load(id);
    tasks.push(task);
    if (ledger.live.has(id)) refuse("a task is there twice");
    ledger.live.add(task);
    ledger.argsBytes += task.argsBytes;
    const early = this.early.get(row);
    if (early !== undefined) {
      task.dependents = early;
      this.early.delete(row);
    }
    this.linkRow(task);
    bear(ledger, task);
    ledger.timers.resume(task, freshWaitMs, ledger.clock.nowMs);
  }

  done(): void {
    const { size } = this.ledger.live;
    if (this.early.size > 0 || size !== this.ids.length || size !== this.tasks.length)
      refuse("tasks are missing");
  }

  private loadDependency(from: StateReader): TaskId {
    const head = from.count();
    const number = Math.floor(head / KINDS);
    switch (head % KINDS) {
      case OLDER:
        return this.waitFor(this.tasks.length - number, this.olderRows);
      case YOUNGER:
        return this.waitFor(this.tasks.length + number, this.youngerRows);
      case UNKNOWN: {
        const id = this.unknown[number] ?? refuse("an unknown task is not known as such");
        this.unknownIds.push(id);
        return id;
      }
      default:
        return from.id();
    }
  }

  private waitFor(row: number, rows: number[]): TaskId {
    rows.push(row);
    return this.ids[row] ?? refuse("a dependency is not there");
  }

  /** Enters the task wherever it waits, as often as it names that. */
  private linkRow(task: LiveTask): void {
    task.unmet = this.olderRows.length + this.youngerRows.length + this.unknownIds.length;
    if (task.unmet === 0) return;
    const { unknown } = this.ledger;
    const joined = (list: readonly LiveTask[] | undefined): readonly LiveTask[] =>
      withDependent(list ?? NOBODY, task);
    for (const row of this.olderRows) {
      const older = this.tasks[row];
      if (older !== undefined) older.dependents = joined(older.dependents);
    }
    for (const row of this.youngerRows) this.early.set(row, joined(this.early.get(row)));
    for (const id of this.unknownIds) unknown.set(id, joined(unknown.get(id)));
    this.olderRows.length = 0;
    this.youngerRows.length = 0;
    this.unknownIds.length = 0;
  }
}
