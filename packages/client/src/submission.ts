/** Turns a call into a submission: everything that is wrong with it is said here, before anything is sent. */
import {
  DEPENDENCIES_MAX,
  encodeRecord,
  encodeValue,
  type InstanceId,
  isToken,
  LABELS_MAX,
  PayloadTooLargeError,
  SUBMISSION_BYTES_MAX,
  type Submission,
  type SubmissionOptions,
  TaskId,
  TaskName,
  UsageError,
} from "@weft/protocol";
import type { OutboxItem, OutboxRecord } from "@weft/transport";
import { TaskHandle } from "./handle.ts";

export type SubmitOptions = {
  /** Tasks that must succeed first: handles, or ids of tasks that anybody submitted. Their results are `ctx.deps`, in this order. */
  readonly dependsOn?: readonly (TaskHandle | string)[];
  /** Among tasks that may run, higher ones run first. A whole number. @default 0 */
  readonly priority?: number;
  /** Only workers that have all of these labels run it. */
  readonly labels?: readonly string[];
  /** The task's id, from `client.createId()`: submitting one id twice runs it once. @default a new one */
  readonly id?: string;
};

const KNOWN = new Set(["dependsOn", "priority", "labels", "id"]);
const ENVELOPE_BYTES = 64;
const ID_BYTES = 24;

export type SubmitItem = OutboxItem & { readonly kind: "submit"; readonly submission: Submission };
type CancelItem = OutboxItem & {
  readonly kind: "cancel";
  readonly id: TaskId;
  readonly reason: string | null;
};
export type ClientItem = SubmitItem | CancelItem;

export function submissionOf(
  name: string,
  input: unknown,
  options: SubmitOptions,
  newId: () => TaskId,
): Submission {
  const taskName = TaskName.parse(name);
  if (typeof options !== "object" || options === null) {
    throw new UsageError(`task "${name}": the options must be an object`);
  }
  for (const key of Object.keys(options)) {
    if (!KNOWN.has(key))
      throw new UsageError(`task "${name}": there is no option "${key}" (known: ${[...KNOWN].join(", ")})`);
  }
  const dependsOn = listOf(options.dependsOn, `task "${name}": dependsOn`).map((each) =>
    each instanceof TaskHandle ? each.id : TaskId.parse(each),
  );
  if (dependsOn.length > DEPENDENCIES_MAX) {
    throw new UsageError(
      `task "${name}" has ${dependsOn.length} dependencies, at most ${DEPENDENCIES_MAX} are possible: gather them in stages`,
    );
  }
  const args = encodeValue(input, `the input of task "${name}"`);
  const bytes = bytesOf(args, dependsOn.length);
  if (bytes > SUBMISSION_BYTES_MAX)
    throw new PayloadTooLargeError(`task "${name}" with its dependencies`, bytes, SUBMISSION_BYTES_MAX);
  const id = options.id === undefined ? newId() : TaskId.parse(options.id);
  return { id, name: taskName, args, dependsOn, options: optionsOf(name, options) };
}

function optionsOf(name: string, options: SubmitOptions): SubmissionOptions | null {
  const priority = options.priority ?? 0;
  const labels = listOf(options.labels, `task "${name}": labels`);
  if (!Number.isSafeInteger(priority))
    throw new UsageError(`task "${name}": priority must be a whole number, got ${priority}`);
  if (labels.length > LABELS_MAX || !labels.every(isToken)) {
    throw new UsageError(`task "${name}": labels must be at most ${LABELS_MAX} words of A-Z a-z 0-9 _ -`);
  }
  if (priority === 0 && labels.length === 0) return null;
  return { priority, labels, parent: null, traceparent: null };
}

/** A copy: what the caller does to the list later changes nothing of what is sent. */
function listOf<T>(given: readonly T[] | undefined, what: string): readonly T[] {
  if (given !== undefined && !Array.isArray(given)) throw new UsageError(`${what} must be a list`);
  return [...(given ?? [])];
}

function bytesOf(args: Uint8Array, dependencyCount: number): number {
  return ENVELOPE_BYTES + args.length + dependencyCount * ID_BYTES;
}

export function submitItem(
  submission: Submission,
  acknowledged: (seq: number) => void,
  abandoned: (error: Error) => void,
): SubmitItem {
  const bytes = bytesOf(submission.args, submission.dependsOn.length);
  return { kind: "submit", submission, bytes, acknowledged, abandoned };
}

export function encodeItems(instance: InstanceId, record: OutboxRecord<string, ClientItem>): Uint8Array {
  const { number } = record;
  const first = record.items[0];
  if (first?.kind === "cancel") {
    const cancels = record.items
      .filter((item) => item.kind === "cancel")
      .map(({ id, reason }) => ({ id, reason }));
    return encodeRecord({ type: "cancel", instance, number, cancels });
  }
  const tasks = record.items.filter((item) => item.kind === "submit").map((item) => item.submission);
  return encodeRecord({ type: "submit", instance, number, tasks });
}
