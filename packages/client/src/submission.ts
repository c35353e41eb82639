/** Turns a call into a submission: everything that is wrong with it is said here, before anything is sent. */
import { DEPENDENCIES_MAX, encodeValue, type Submission, TaskId, TaskName, UsageError } from "@weft/protocol";
import { TaskHandle } from "./handle.ts";
import { listOf, optionsOf, type SubmitOptions } from "./submit-options.ts";

const ENVELOPE_BYTES = 64;
export const ID_BYTES = 24;

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
