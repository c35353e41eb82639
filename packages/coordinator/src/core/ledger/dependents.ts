/**
 * Who waits for a task. Most tasks have nobody, or a few: an array that is pushed to has room for seventeen from the first
 * on, so short lists are made anew instead.
 */
import type { LiveTask } from "./task.ts";

/** Of a task that nobody waits for. Never changed, so that all can have it. */
export const NOBODY: readonly LiveTask[] = Object.freeze([]);

const SHORT = 8;
const COMPACT_AT = 64;

/**
 * The list with the task at its end; the one before is not to be used any more. Drops those that have settled meanwhile
 * whenever the list has doubled, so that it cannot grow without bound.
 */
export function withDependent(list: readonly LiveTask[], task: LiveTask): readonly LiveTask[] {
  if (list.length === 0) return [task];
  if (list.length < SHORT) return list.concat(task);
  const isDoubled = list.length >= COMPACT_AT && (list.length & (list.length - 1)) === 0;
  const kept = isDoubled ? list.filter((each) => !each.isSettled) : (list as LiveTask[]);
  kept.push(task);
  return kept;
}
