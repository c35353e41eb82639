/** What a workload prints: one shape for all of them. */
import type { Machine } from "./machine.ts";
import type { Comparison } from "./rounds.ts";

export type Report = {
  readonly name: string;
  /** The metric that counts. */
  readonly headline: string;
  /** The day, in UTC. */
  readonly taken: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  /** How it was measured. */
  readonly settings: Readonly<Record<string, string | number>>;
} & Comparison;
