/** Typed calls from the type of a module of tasks: nothing of the module is loaded. */
import { type KebabCase, type TaskSignature, taskNameOf } from "@weft/protocol";
import type { TaskHandle } from "./handle.ts";
import type { SubmitOptions } from "./submit-options.ts";

type CallName<Key, Definition> =
  Definition extends TaskSignature<infer Name, infer _Input, infer _Output>
    ? Key extends string
      ? KebabCase<Key> extends Name
        ? Key
        : Name
      : never
    : never;

type IsOptional<Input> = unknown extends Input
  ? true
  : undefined extends Input
    ? true
    : Input extends void
      ? true
      : false;

export type TaskCall<Input, Output> =
  IsOptional<Input> extends true
    ? (input?: Input, options?: SubmitOptions) => TaskHandle<Output>
    : (input: Input, options?: SubmitOptions) => TaskHandle<Output>;

/** A function per task that the module exports: `countPrimes` for the task `count-primes`. */
export type TypedTasks<Module> = {
  readonly [Key in keyof Module as CallName<Key, Module[Key]>]: Module[Key] extends TaskSignature<
    infer _Name,
    infer Input,
    infer Output
  >
    ? TaskCall<Input, Output>
    : never;
};

/**
 * What the language asks any object for: an await, a logger or a comparison must not submit a task. Tasks of these names
 * are called with `client.submit`.
 */
const ASKED_OF_ANY = new Set(["then", "toJSON", "toString", "valueOf"]);

const CALLS_MAX = 1_000;

export function typedTasks<Module>(
  submit: (name: string, input: unknown, options?: SubmitOptions) => TaskHandle,
): TypedTasks<Module> {
  /** As many as there are names in the code that calls them. */
  const calls = new Map<string, TaskCall<unknown, unknown>>();
  return new Proxy(Object.create(null) as TypedTasks<Module>, {
    get(_target, property) {
      if (typeof property !== "string" || ASKED_OF_ANY.has(property)) return undefined;
      const known = calls.get(property);
      if (known !== undefined) return known;
      const name = taskNameOf(property);
      const call = (input?: unknown, options?: SubmitOptions): TaskHandle => submit(name, input, options);
      if (calls.size < CALLS_MAX) calls.set(property, call);
      return call;
    },
  });
}
