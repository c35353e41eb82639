/** Records of a log as its first coordinator and its clients wrote it, with so many tasks of a kind. */
import {
  encodeRecord,
  encodeValue,
  FOLD_VERSION,
  InstanceId,
  Nonce,
  RECORD_BYTES_TARGET,
  type SubmitRecord,
  TaskId,
  TaskName,
} from "@weft/protocol";

/** `ready`: without dependencies. `waiting`: each for one or two of those before. `mixed`: every other one of each. */
export type TaskKind = "ready" | "waiting" | "mixed";

export const TASK_NAME: TaskName = TaskName.parse("recovered");
const ARGUMENT = "twenty bytes of text";
/** A record of this many is below what a client puts into one. */
const RECORD_TASKS = Math.floor(RECORD_BYTES_TARGET / 256);
const DEPENDENCY_REACH = 100;

/** The election of a leader that is gone: from here on the clock runs. */
export function electionRecord(wallMs: number): Uint8Array {
  return encodeRecord({
    type: "control",
    instance: InstanceId.create(),
    number: 1,
    epoch: 0,
    wallMs,
    foldVersion: FOLD_VERSION,
    event: { type: "elected", nonce: Nonce.create() },
  });
}

export function* submitRecords(count: number, kind: TaskKind, instance: InstanceId): Generator<Uint8Array> {
  const args = encodeValue(ARGUMENT, "the argument");
  const recent: TaskId[] = [];
  let made = 0;
  for (let number = 1; made < count; number++) {
    const tasks: SubmitRecord["tasks"][number][] = [];
    for (; tasks.length < RECORD_TASKS && made < count; made++) {
      const id = TaskId.create(0, Date.now());
      const waits = made > 0 && (kind === "waiting" || (kind === "mixed" && made % 2 === 1));
      tasks.push({
        id,
        name: TASK_NAME,
        args,
        dependsOn: waits ? dependencies(recent, made) : [],
        options: null,
      });
      recent[made % DEPENDENCY_REACH] = id;
    }
    yield encodeRecord({ type: "submit", instance, number, tasks });
  }
}

/** One or two of the last hundred, the same in every run. */
function dependencies(recent: readonly TaskId[], made: number): TaskId[] {
  const last = recent[(made - 1) % DEPENDENCY_REACH];
  const further = recent[(made * 37) % recent.length];
  return [...new Set([last, made % 3 === 0 ? further : last])].filter((id) => id !== undefined);
}
