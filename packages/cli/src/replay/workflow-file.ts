/**
 * Reads WfFormat, the JSON in which WfCommons records runs of workflows. From 1.5 on what was to run and how it ran are two
 * lists that refer to tasks by id; in 1.4 there is one, which refers to them by name. Pure: the text comes from the caller.
 */
import { inOrder } from "./task-order.ts";
import type { Workflow, WorkflowTask } from "./workflow.ts";
import { WorkflowFileError } from "./workflow-error.ts";

const VERSIONS: ReadonlySet<unknown> = new Set(["1.4", "1.5", "1.6"]);
const MS_PER_SECOND = 1_000;

type Fields = Readonly<Record<string, unknown>>;
type Fail = (message: string) => never;

/** A task as the file has it: whom it names, not yet where they are. */
type Recorded = {
  readonly id: string;
  readonly name: string;
  readonly where: string;
  readonly runMs: number;
  readonly parents: readonly string[];
  readonly children: readonly string[];
};

/** Throws `WorkflowFileError`, which names the place and what is wrong with it. */
export function readWorkflow(text: string, file: string): Workflow {
  const fail: Fail = (message) => {
    throw new WorkflowFileError(file, message);
  };
  const root = new Reader(fail).fields(parsed(text, file), "the file");
  const reader = new Reader(fail);
  if (!VERSIONS.has(root.schemaVersion))
    fail(
      `schemaVersion is ${JSON.stringify(root.schemaVersion) ?? "missing"}: WfFormat ${[...VERSIONS].join(", ")} can be read`,
    );
  const name = reader.text(root, "name", "the file");
  const workflow = reader.fields(root.workflow, "workflow");
  const recorded =
    workflow.specification === undefined ? readOneList(reader, workflow) : readTwoLists(reader, workflow);
  if (recorded.length === 0) fail("the workflow has no tasks");
  return { name, tasks: linked(recorded, fail) };
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WorkflowFileError(file, `this is no JSON (${cause instanceof Error ? cause.message : cause})`, {
      cause,
    });
  }
}

function readTwoLists(reader: Reader, workflow: Fields): Recorded[] {
  const specification = reader.fields(workflow.specification, "workflow.specification");
  if (workflow.execution === undefined)
    reader.fail("workflow.execution is missing: it has not been run, so there are no run times");
  const execution = reader.fields(workflow.execution, "workflow.execution");
  const runMs = new Map<string, number>();
  for (const { fields, where } of reader.list(execution, "workflow.execution"))
    runMs.set(reader.text(fields, "id", where), reader.seconds(fields, where) * MS_PER_SECOND);
  return reader.list(specification, "workflow.specification").map(({ fields, where }) => {
    const id = reader.text(fields, "id", where);
    const ms = runMs.get(id);
    if (ms === undefined)
      return reader.fail(`${where} (${id}) has no run time: workflow.execution does not have it`);
    return {
      id,
      where,
      name: reader.text(fields, "name", where),
      runMs: ms,
      parents: reader.texts(fields, "parents", where),
      children: reader.texts(fields, "children", where),
    };
  });
}

function readOneList(reader: Reader, workflow: Fields): Recorded[] {
  return reader.list(workflow, "workflow").map(({ fields, where }) => {
    const name = reader.text(fields, "name", where);
    return {
      // It is how others refer to it.
      id: name,
      where,
      name,
      runMs: reader.seconds(fields, where) * MS_PER_SECOND,
      parents: reader.texts(fields, "parents", where),
      children: fields.children === undefined ? [] : reader.texts(fields, "children", where),
    };
  });
}

/** A dependency may be told by either of the two tasks. */
function linked(recorded: readonly Recorded[], fail: Fail): readonly WorkflowTask[] {
  const positions = new Map<string, number>();
  for (const [index, { id, where }] of recorded.entries()) {
    if (positions.has(id)) fail(`${where} has the id of another task, ${id}`);
    positions.set(id, index);
  }
  const parents = recorded.map(() => new Set<number>());
  const at = (id: string, from: Recorded, role: "parent" | "child"): number =>
    positions.get(id) ?? fail(`${from.where} (${from.id}) has a ${role} that is no task of this file, ${id}`);
  for (const [index, task] of recorded.entries()) {
    for (const id of task.parents) parents[index]?.add(at(id, task, "parent"));
    for (const id of task.children) parents[at(id, task, "child")]?.add(index);
  }
  const order = inOrder(parents.map((each) => [...each]));
  if (order.type === "cycle")
    return fail(
      `tasks wait for one another in a circle: ${order.positions.map((index) => recorded[index]?.id).join(" -> ")}`,
    );
  const moved = new Int32Array(recorded.length);
  for (const [to, from] of order.positions.entries()) moved[from] = to;
  return order.positions.flatMap((from) => {
    const task = recorded[from];
    if (task === undefined) return [];
    const { id, name, runMs } = task;
    return [{ id, name, runMs, parents: Array.from(parents[from] ?? [], (parent) => moved[parent] ?? 0) }];
  });
}

class Reader {
  readonly fail: Fail;

  constructor(fail: Fail) {
    this.fail = fail;
  }

  fields(value: unknown, where: string): Fields {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
    return this.fail(value === undefined ? `${where} is missing` : `${where} must be an object`);
  }

  list(parent: Fields, where: string): readonly { readonly fields: Fields; readonly where: string }[] {
    const { tasks } = parent;
    if (!Array.isArray(tasks)) return this.fail(`${where}.tasks must be a list of tasks`);
    return tasks.map((value: unknown, index) => {
      const place = `${where}.tasks[${index}]`;
      return { fields: this.fields(value, place), where: place };
    });
  }

  text(fields: Fields, name: string, where: string): string {
    const value = fields[name];
    if (typeof value === "string" && value !== "") return value;
    return this.fail(`${where} needs a text as its ${name}`);
  }

  texts(fields: Fields, name: string, where: string): readonly string[] {
    const value = fields[name];
    if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
    return this.fail(`${where} needs a list of texts as its ${name}`);
  }

  seconds(fields: Fields, where: string): number {
    const value = fields.runtimeInSeconds;
    // JSON has no infinite number, but 1e999 is read as one.
    if (typeof value === "number" && value >= 0 && Number.isFinite(value)) return value;
    return this.fail(`${where} needs a finite number of at least 0 as its runtimeInSeconds`);
  }
}
