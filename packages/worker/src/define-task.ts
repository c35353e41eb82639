/** How a user defines a task. */
import { type ExecutorKind, TaskName, type TaskSignature, UsageError } from "@weft/protocol";
import type { TaskContext } from "./context.ts";

export type TaskOptions = {
  /**
   * Where the code runs. `inline`: on the worker's own event loop, for code that mostly waits. `thread`: in a worker
   * thread, for code that computes. `process`: in a process of its own, for native code and for what may crash.
   * @default "inline"
   */
  readonly executor?: ExecutorKind;
  /**
   * Memory limit in MiB; a task that exceeds it fails with OutOfMemoryError. In a thread it holds for the heap, and code
   * that asks for tens of MiB at once may end the whole worker instead: V8 gives up there, and other workers take over. In
   * a process it holds for everything, whatever code asks for. Inline code shares the worker's heap and can have none.
   * @default Node's
   */
  readonly memoryMb?: number;
};

export type TaskHandler<Input, Output> = (input: Input, ctx: TaskContext) => Output | Promise<Output>;

export type TaskDefinition<Name extends string = string, Input = never, Output = unknown> = TaskSignature<
  Name,
  Input,
  Output
> & {
  readonly options: Required<Pick<TaskOptions, "executor">> & { readonly memoryMb: number | null };
  readonly handler: TaskHandler<Input, Output>;
};

/** Marks a definition across copies of this package. */
const DEFINITION = Symbol.for("weft.task-definition");
const MEMORY_MB_MIN = 16;
const EXECUTORS: ReadonlySet<unknown> = new Set<ExecutorKind>(["inline", "thread", "process"]);
const OPTIONS: ReadonlySet<string> = new Set(["executor", "memoryMb"] satisfies (keyof TaskOptions)[]);

/** Defines a task that workers run and clients call by its name. */
export function defineTask<const Name extends string, Input, Output>(
  name: Name,
  handler: TaskHandler<Input, Output>,
): TaskDefinition<Name, Input, Output>;
export function defineTask<const Name extends string, Input, Output>(
  name: Name,
  options: TaskOptions,
  handler: TaskHandler<Input, Output>,
): TaskDefinition<Name, Input, Output>;
export function defineTask<Name extends string, Input, Output>(
  name: Name,
  first: TaskOptions | TaskHandler<Input, Output>,
  second?: TaskHandler<Input, Output>,
): TaskDefinition<Name, Input, Output> {
  TaskName.parse(name);
  const handler = typeof first === "function" ? first : second;
  const options = typeof first === "function" ? {} : first;
  if (typeof handler !== "function") throw new UsageError(`task "${name}" has no function to run`);
  checkKeys(name, options);
  const executor = options.executor ?? "inline";
  if (!EXECUTORS.has(executor)) {
    throw new UsageError(
      `task "${name}": the executor must be "inline", "thread" or "process", got ${JSON.stringify(executor)}`,
    );
  }
  const memoryMb = options.memoryMb ?? null;
  if (memoryMb !== null && executor === "inline") {
    throw new UsageError(`task "${name}": memoryMb needs executor: "thread" or "process"`);
  }
  if (memoryMb !== null && !(Number.isInteger(memoryMb) && memoryMb >= MEMORY_MB_MIN)) {
    throw new UsageError(`task "${name}": memoryMb must be a whole number of at least ${MEMORY_MB_MIN}`);
  }
  const definition = { name, options: { executor, memoryMb }, handler };
  Object.defineProperty(definition, DEFINITION, { value: true });
  return Object.freeze(definition);
}

/** An option that is misspelt would be none at all: code meant for a thread would run on the worker's event loop. */
function checkKeys(name: string, options: TaskOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new UsageError(`task "${name}": the options must be an object`);
  }
  for (const key of Object.keys(options)) {
    if (!OPTIONS.has(key)) {
      throw new UsageError(`task "${name}": there is no option "${key}" (known: ${[...OPTIONS].join(", ")})`);
    }
  }
}

export function isDefinition(value: unknown): value is TaskDefinition {
  return typeof value === "object" && value !== null && DEFINITION in value;
}
