/** What passes between the bench and the processes that it starts. */

/** The questions that a process answers, by name: a function type each. */
export type Contract = { readonly [Name in string]: (argument: never) => unknown };

export type Question = { readonly number: number; readonly name: string; readonly argument: unknown };

export type FromChild =
  | { readonly type: "ready" }
  | { readonly type: "answer"; readonly number: number; readonly answer: unknown }
  | { readonly type: "failure"; readonly number: number; readonly message: string };

/** Every process answers these. `cpu`: microseconds of the processor that its threads used so far. `stop` is answered when everything in it is closed; it ends then. */
export const CLOCK = "clock";
export const CPU = "cpu";
export const STOP = "stop";
