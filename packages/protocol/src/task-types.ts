/**
 * The type of a task definition, shared by the worker that holds it and the client that imports only its type.
 *
 * A typed client calls a task by the name of its export: `countPrimes` is the task `count-primes`. The name is turned at
 * run time (`taskNameOf`), and held against the definition's literal name at compile time (`KebabCase`).
 */
export type ExecutorKind = "inline" | "thread" | "process";

/** What the types of a definition say; the implementation is the worker's. */
export type TaskSignature<Name extends string, Input, Output> = {
  readonly name: Name;
  /** The input stands where it is taken, so that a definition of any input is a `TaskDefinition`. */
  readonly "~types"?: { readonly input: (input: Input) => void; readonly output: Output };
};

type Upper =
  | "A"
  | "B"
  | "C"
  | "D"
  | "E"
  | "F"
  | "G"
  | "H"
  | "I"
  | "J"
  | "K"
  | "L"
  | "M"
  | "N"
  | "O"
  | "P"
  | "Q"
  | "R"
  | "S"
  | "T"
  | "U"
  | "V"
  | "W"
  | "X"
  | "Y"
  | "Z";

/** `countPrimes` -> `count-primes`. */
export type KebabCase<Text extends string> = Text extends `${infer Head}${infer Tail}`
  ? Head extends Upper
    ? `-${Lowercase<Head>}${KebabCase<Tail>}`
    : `${Head}${KebabCase<Tail>}`
  : Text;

export function taskNameOf(exportName: string): string {
  return exportName.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
