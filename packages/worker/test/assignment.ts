/** Assignments as a leader makes them, for tests that need no leader. */
import { type Assignment, encodeValue, Identity, TaskId, TaskName } from "@weft/protocol";

export function taskId(number: number): TaskId {
  return TaskId.parse(`000000${String(number).padStart(16, "0")}`);
}

export type AssignmentFacts = Partial<Omit<Assignment, "name" | "args">> & {
  readonly name?: string;
  readonly input?: unknown;
};

export function assignmentOf({ name, input, ...facts }: AssignmentFacts = {}): Assignment {
  return {
    id: taskId(1),
    attempt: 1,
    name: TaskName.parse(name ?? "echo"),
    owner: Identity.parse("client"),
    args: encodeValue(input, "the input"),
    deps: null,
    traceparent: null,
    timeoutMs: null,
    ...facts,
  };
}
