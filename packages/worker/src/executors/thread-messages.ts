/**
 * Between a worker and its threads. Every message names its job: code that goes on after its task has ended must not
 * report for the next one.
 */
import type { LogLevel } from "../context.ts";
import type { AttemptEnd, AttemptInput } from "../run-attempt.ts";

export type ToThread =
  | { readonly type: "run"; readonly job: number; readonly moduleUrl: string; readonly input: AttemptInput }
  | { readonly type: "cancel"; readonly job: number; readonly reason: string | null };

export type FromThread =
  | ({ readonly type: "progress"; readonly job: number } & ThreadProgress)
  | {
      readonly type: "log";
      readonly job: number;
      readonly level: LogLevel;
      readonly message: string;
      readonly data: unknown;
    }
  | {
      readonly type: "ended";
      readonly job: number;
      readonly end: AttemptEnd;
      readonly progress: ThreadProgress | null;
    };

export type ThreadProgress = {
  readonly fraction: number;
  readonly message: string | undefined;
  readonly data: unknown;
};
