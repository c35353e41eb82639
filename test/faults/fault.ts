/** A kind of fault. */
import type { Arena } from "./arena.ts";

/** What has been done, and when everything is as before. */
export type Strike = {
  readonly what: string;
  readonly healed: Promise<void>;
};

export type Fault = {
  /** As it is counted. */
  readonly name: string;
  /** How often, among the others. */
  readonly weight: number;
  /** Null where there is nobody to strike right now. */
  readonly strike: (arena: Arena) => Promise<Strike | null>;
};

export function pause(ms: number): Promise<void> {
  return new Promise((over) => setTimeout(over, ms));
}

/** A task that was submitted to see whether work goes on. */
export type Probe = { readonly begunAtMs: number; readonly toldAtMs: number };

/** Resolves when a task that is submitted now has its result. */
export async function probe({ prober }: Arena): Promise<Probe> {
  const begun = await prober.submit("begun", undefined, { priority: 1_000 }).result();
  return { begunAtMs: Number(begun) - performance.timeOrigin, toldAtMs: performance.now() };
}

/** One of them that nothing is the matter with; undefined where all are struck. */
export function pickSound<T extends { readonly title: string }>(
  { calm, dice }: Arena,
  parties: readonly T[],
): T | undefined {
  const sound = calm.sound(parties);
  return sound.length === 0 ? undefined : dice.pick(sound);
}
