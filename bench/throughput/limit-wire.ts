/**
 * The limit of throughput: the same messages through the same server in the same three processes, written and read by Weft's
 * own codec task by task, with nothing of Weft in between: nobody accounts for a task, places it, or holds a handle.
 */
import {
  type Assignment,
  type Finish,
  Identity,
  InstanceId,
  type SettledTask,
  type TaskId,
  TaskName,
} from "@weft/protocol";

/** Larger than Weft's: that takes the least. */
export const RECORD_BYTES_TARGET = 256 * 1024;
/** Records on their way. With fewer, small ones take more. */
export const WINDOW = 32;
/** What a record takes of a task besides its argument, rounded up. */
export const TASK_BYTES = 64;

export const NAME: TaskName = TaskName.parse("noop");
const OWNER: Identity = Identity.parse("limit");
export const INSTANCE: InstanceId = InstanceId.parse("limit");

const HEAD = "00aaaa";
const INDEX_DIGITS = 16;

/** Ids as long as all are, that tell which task they are of. */
export function idOf(index: number): TaskId {
  return `${HEAD}${String(index).padStart(INDEX_DIGITS, "0")}` as TaskId;
}

export function indexOf(id: TaskId): number {
  return Number(id.slice(HEAD.length));
}

export function assignmentOf(id: TaskId, args: Uint8Array): Assignment {
  return { id, attempt: 1, name: NAME, owner: OWNER, args, deps: null, traceparent: null, timeoutMs: null };
}

export function finishOf(id: TaskId, value: Uint8Array): Finish {
  return { id, attempt: 1, outcome: "succeeded", started: true, progress: null, value, failure: null };
}

export function settledOf({ id, outcome, attempt, value }: Finish): SettledTask {
  const isSucceeded = outcome === "succeeded" ? outcome : "failed";
  return {
    id,
    name: NAME,
    outcome: isSucceeded,
    attempt,
    tries: 1,
    progress: null,
    value,
    fetch: false,
    reason: null,
  };
}
