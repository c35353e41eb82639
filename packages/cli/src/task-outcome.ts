/** How a settled task is told: its result, or its error with the causes. */
import type { Settlement } from "@weft/client";
import { causesOf, type ErrorObject, errorObject } from "./error-report.ts";
import { printable } from "./output.ts";

export type TaskOutcome = {
  readonly outcome: Settlement<unknown>["outcome"];
  readonly attempt: number;
  /** Null where there is none. */
  readonly result?: unknown;
  readonly error?: ErrorObject & { readonly causes: ReturnType<typeof causesOf> };
};

export function taskOutcome(settlement: Settlement<unknown>): TaskOutcome {
  const { outcome, attempt, error, value } = settlement;
  if (error === undefined) return { outcome, attempt, result: value ?? null };
  return { outcome, attempt, error: { ...errorObject(error), causes: causesOf(error) } };
}

/** Beyond the error's own line, which names the first cause already. */
export function causeLines(error: Error): readonly string[] {
  return causesOf(error)
    .slice(1)
    .map(({ name, message }) => printable(`  caused by ${name}: ${message}`));
}
