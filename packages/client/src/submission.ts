/** Turns a call into a submission: everything that is wrong with it is said here, before anything is sent. */
import {
  type Cancel,
  DEPENDENCIES_MAX,
  encodeRecord,
  encodeValue,
  type InstanceId,
  type Submission,
  TaskId,
  TaskName,
  UsageError,
} from "@weft/protocol";
import type { OutboxItem, OutboxRecord } from "@weft/transport";
import { TaskHandle } from "./handle.ts";
import { listOf, optionsOf, type SubmitOptions } from "./submit-options.ts";

const ENVELOPE_BYTES = 64;
const ID_BYTES = 24;

/** `submission` is null once the log has it: then nothing encodes it again. */
export type SubmitItem = OutboxItem & { readonly kind: "submit"; readonly submission: Submission | null };
type CancelItem = OutboxItem & { readonly kind: "cancel"; readonly cancel: Cancel };
type ReceivedItem = OutboxItem & { readonly kind: "received"; readonly id: TaskId };
export type ClientItem = SubmitItem | CancelItem | ReceivedItem;

const NOTHING: readonly never[] = Object.freeze([]);

export function submissionOf(
  name: string,
  input: unknown,
  options: SubmitOptions,
  source: { readonly newId: () => TaskId; readonly wallMs: () => number },
): Submission {
  const taskName = TaskName.parse(name);
  const own = optionsOf(name, options, source.wallMs);
  const dependsOn =
    options.dependsOn === undefined
      ? NOTHING
      : listOf(options.dependsOn, `task "${name}": dependsOn`).map((each) =>
          each instanceof TaskHandle ? each.id : TaskId.parse(each),
        );
  if (dependsOn.length > DEPENDENCIES_MAX) {
    throw new UsageError(
      `task "${name}" has ${dependsOn.length} dependencies, at most ${DEPENDENCIES_MAX} are possible: gather them in stages`,
    );
  }
  const args = encodeValue(input, `the input of task "${name}"`);
  const id = options.id === undefined ? source.newId() : TaskId.parse(options.id);
  return { id, name: taskName, args, dependsOn, options: own };
}

/** What it adds to a record, rounded up. */
export function bytesOfSubmission({ args, dependsOn }: Submission): number {
  return ENVELOPE_BYTES + args.length + dependsOn.length * ID_BYTES;
}

const nothing = (): void => undefined;

export function cancelItem(cancel: Cancel): ClientItem {
  return { kind: "cancel", cancel, bytes: 32, acknowledged: nothing, abandoned: nothing };
}

export function receivedItem(id: TaskId): ClientItem {
  return { kind: "received", id, bytes: ID_BYTES, acknowledged: nothing, abandoned: nothing };
}

export function encodeItems(instance: InstanceId, record: OutboxRecord<string, ClientItem>): Uint8Array {
  const { number } = record;
  const first = record.items[0];
  if (first?.kind === "cancel") {
    const cancels = record.items.filter((item) => item.kind === "cancel").map((item) => item.cancel);
    return encodeRecord({ type: "cancel", instance, number, cancels });
  }
  if (first?.kind === "received") {
    const ids = record.items.filter((item) => item.kind === "received").map((item) => item.id);
    return encodeRecord({ type: "received", instance, number, ids });
  }
  const tasks: Submission[] = [];
  for (const item of record.items)
    if (item.kind === "submit" && item.submission !== null) tasks.push(item.submission);
  return encodeRecord({ type: "submit", instance, number, tasks });
}
