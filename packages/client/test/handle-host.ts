/** A handle without a client: what it asks of one is recorded. */
import { ClosedError, type ProgressReport, TaskId } from "@weft/protocol";
import { type HandleHost, TaskHandle } from "../src/handle.ts";

export const id: TaskId = TaskId.parse("000000AAAAAAAAAAAAAAAA");

export class RecordedHost implements HandleHost {
  readonly errors: string[] = [];
  readonly cancels: { readonly reason: string | null; readonly dependents: boolean }[] = [];
  listening = 0;
  readonly accept = async (): Promise<void> => undefined;
  readonly cancel = (_id: TaskId, reason: string | null, dependents: boolean): void =>
    void this.cancels.push({ reason, dependents });
  readonly state = async () => "released" as const;
  readonly listenToProgress = (): void => void this.listening++;
  readonly reportError = (error: Error): void => void this.errors.push(error.message);
}

export function handleOf<T = unknown>(): { handle: TaskHandle<T>; host: RecordedHost } {
  const host = new RecordedHost();
  return { handle: new TaskHandle<T>(id, "task", host), host };
}

export function reportOf(fraction: number, more: Partial<ProgressReport> = {}): ProgressReport {
  return { task: id, attempt: 1, fraction, ...more };
}

const once = { attempt: 1, tries: 1, stopped: null, also: { children: 0, dependents: 0 } } as const;
export const succeeded = (value: unknown) => ({ ...once, outcome: "succeeded", value }) as const;
export const failed = (error: Error) => ({ ...once, outcome: "failed", error }) as const;
export const closed = (): ClosedError => new ClosedError("the client");
