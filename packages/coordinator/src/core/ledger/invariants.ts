/** Re-derives every cross-reference of a ledger from scratch. Called after every record in tests. */
import type { TaskId } from "@weft/protocol";
import type { Share } from "./carried-records.ts";
import type { Ledger } from "./ledger.ts";
import { isFreed, type LiveTask } from "./task.ts";

/** What does not hold, in words; empty where all is well. */
export function checkInvariants(ledger: Ledger): string[] {
  const wrong: string[] = [];
  for (const task of ledger.live) {
    if (task.isSettled || ledger.settled.has(task.id)) wrong.push(`I1: ${task.id} is live and settled`);
    checkTask(ledger, task, wrong);
    checkWaits(ledger, task, wrong);
    checkParent(ledger, task, wrong);
  }
  for (const [parent, children] of ledger.children) {
    if (children.size === 0) wrong.push(`${parent} has an empty set of children`);
    for (const child of children)
      if (ledger.live.get(child.id) !== child || child.parent?.id !== parent)
        wrong.push(`${child.id} is no live child of ${parent}`);
  }
  checkPins(ledger, wrong);
  checkCarried(ledger, wrong);
  for (const id of ledger.received)
    if (ledger.settled.pins(id) === 0) wrong.push(`R3: ${id} was received, is needed by nobody, and is kept`);
  const argsBytes = [...ledger.live].reduce((sum, task) => sum + task.argsBytes, 0);
  if (argsBytes !== ledger.argsBytes)
    wrong.push(`I10: ${ledger.argsBytes} bytes of arguments are counted, and there are ${argsBytes}`);
  if (ledger.orphans.length > 0) wrong.push("L6: orphans were left as they are");
  // A checkpoint has the one with the other.
  if (ledger.unknown.size !== ledger.unknownDeadlines.size)
    wrong.push("an unknown id is awaited without an end, or none is");
  if (ledger.earlyCancels.size !== ledger.earlyCancelDeadlines.size)
    wrong.push("an early cancel is kept without an end, or none is");
  for (const id of ledger.unknown.keys()) {
    if (ledger.live.has(id) || ledger.settled.has(id)) wrong.push(`${id} is known and awaited as unknown`);
  }
  return wrong;
}

/** R2 */
function checkPins(ledger: Ledger, wrong: string[]): void {
  const pins = new Map<TaskId, number>();
  for (const { dependencies } of ledger.live)
    for (const id of dependencies) if (ledger.settled.has(id)) pins.set(id, (pins.get(id) ?? 0) + 1);
  for (const [id, count] of pins)
    if (ledger.settled.pins(id) !== count)
      wrong.push(`R2: ${id} has ${ledger.settled.pins(id)} pins, and live tasks name it ${count} times`);
  for (const id of ledger.settled.kept.keys())
    if (!pins.has(id)) wrong.push(`R2: ${id} was evicted, and is kept for nobody`);
  if (ledger.settled.pinned !== pins.size)
    wrong.push(`R2: ${ledger.settled.pinned} settled tasks are pinned, and live tasks name ${pins.size}`);
}

/** K2, and that what was never carried is in the order of age. */
function checkCarried(ledger: Ledger, wrong: string[]): void {
  const { carried } = ledger;
  const found = new Map<number, Share>();
  const count = (seq: number, bytes: number, lastSeq: number): number => {
    if (!carried.has(seq)) {
      if (seq < lastSeq) wrong.push(`K2: a value in record ${seq} comes after one in record ${lastSeq}`);
      return seq;
    }
    const share = found.get(seq) ?? { count: 0, bytes: 0 };
    found.set(seq, { count: share.count + 1, bytes: share.bytes + bytes });
    return lastSeq;
  };
  let lastSeq = 0;
  for (const { submitted, argsBytes } of ledger.live) lastSeq = count(submitted.seq, argsBytes, lastSeq);
  lastSeq = 0;
  for (const { seq, bytes } of ledger.settled.held(NONE)) lastSeq = count(seq, bytes, lastSeq);
  for (const [seq, { count: values, bytes }] of carried) {
    const share = found.get(seq) ?? { count: 0, bytes: 0 };
    if (share.count !== values || share.bytes !== bytes)
      wrong.push(
        `K2: record ${seq} is to hold ${values} values of ${bytes} bytes, and holds ${share.count} of ${share.bytes}`,
      );
  }
}

const NONE: ReadonlySet<number> = new Set();

function checkTask(ledger: Ledger, task: LiveTask, wrong: string[]): void {
  let unmet = 0;
  for (const id of task.dependencies) {
    const settled = ledger.settled.get(id);
    const outcome = settled?.outcome;
    if (settled !== undefined && isFreed(settled))
      wrong.push(`R3: ${task.id} depends on ${id}, whose value is gone`);
    if (outcome === "succeeded") continue;
    if (outcome !== undefined) wrong.push(`${task.id} is live although its dependency ${id} is ${outcome}`);
    unmet++;
    if (!waitsIn(ledger, id, task)) wrong.push(`${task.id} waits for ${id}, which does not know it`);
  }
  if (unmet !== task.unmet) wrong.push(`${task.id} counts ${task.unmet} unmet dependencies of ${unmet}`);
  if (task.state === "waiting" && unmet === 0) wrong.push(`${task.id} waits for nothing`);
  if (task.state !== "waiting" && unmet > 0)
    wrong.push(`I2: ${task.id} is ${task.state} with ${unmet} unmet dependencies`);
  if (task.attempt < 1 || task.tries > task.attempt)
    wrong.push(`I3: ${task.id} has ${task.tries} tries in attempt ${task.attempt}`);
}

/** L7 */
function checkWaits(ledger: Ledger, task: LiveTask, wrong: string[]): void {
  const { state, waitDueMs, cancel } = task;
  const { deadlineMs } = task.terms;
  const isDue = waitDueMs !== null && waitDueMs > 0 && waitDueMs <= ledger.clock.nowMs;
  const mayWait = {
    waiting: task.terms.dependencyTimeoutMs > 0,
    backing_off: true,
    released: task.terms.queueTimeoutMs !== null,
    cancelling: false,
  }[state];
  if (mayWait !== (waitDueMs !== null)) wrong.push(`L7: ${task.id} is ${state} until ${waitDueMs}`);
  // A queue time-out that is over stays as it is: the leader finds it by its moment.
  if (waitDueMs !== null && !(isDue && state === "released") && !ledger.timers.knows(task, "wait"))
    wrong.push(`L7: no timer for what ${task.id} waits for as ${state}`);
  const mayPass = state === "cancelling" && deadlineMs !== null && deadlineMs <= ledger.clock.nowMs;
  if (deadlineMs !== null && !mayPass && !ledger.timers.knows(task, "deadline"))
    wrong.push(`L7: no timer for the deadline of ${task.id}`);
  if ((state === "cancelling") !== (cancel !== null)) wrong.push(`${task.id} is ${state}, its cancel is not`);
  if (state === "backing_off" && (task.attempt < 2 || task.terms.retry === null))
    wrong.push(`${task.id} backs off and has no try to wait for`);
}

/** L6 */
function checkParent(ledger: Ledger, task: LiveTask, wrong: string[]): void {
  const { parent } = task;
  if (parent === null) return;
  if (ledger.children.get(parent.id)?.has(task) !== true)
    wrong.push(`${parent.id} does not know of its child ${task.id}`);
  const settled = ledger.settled.get(parent.id);
  const isWanted =
    settled === undefined || (settled.outcome === "succeeded" && settled.attempt === parent.attempt);
  if (!isWanted && task.state !== "cancelling")
    wrong.push(`L6: ${task.id} is ${task.state}, and its parent ${parent.id} is ${settled?.outcome}`);
  const isStopping = ledger.live.get(parent.id)?.state === "cancelling";
  if (isStopping && task.state !== "cancelling")
    wrong.push(`L6: ${task.id} is ${task.state}, and its parent ${parent.id} is being stopped`);
}

function waitsIn(ledger: Ledger, id: TaskId, task: LiveTask): boolean {
  const waiters = ledger.live.get(id)?.dependents ?? ledger.unknown.get(id) ?? [];
  return waiters.includes(task);
}
