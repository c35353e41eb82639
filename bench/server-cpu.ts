/** What a server has used of the processor: a program of others, so the system is asked. */
import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in hundredths of a second, whatever the clock of the kernel is. */
const TICK_US = 10_000;

/** Behind the name of the program, which may have spaces and brackets. */
const PARENT_FIELD = 1;
const FIRST_CPU_FIELD = 11;
const CPU_FIELDS = 4;

/**
 * Microseconds of the processor that a process has used, with the processes that it has started and those of them that are
 * over. Null where the system does not tell.
 */
export function serverCpuUs(pid: number): number | null {
  const own = fieldsOf(String(pid));
  if (own === null) return null;
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(fieldsOf)
    .filter((fields) => fields !== null && Number(fields[PARENT_FIELD]) === pid);
  return [own, ...children].reduce((sum, fields) => sum + ticksIn(fields ?? []), 0) * TICK_US;
}

function ticksIn(fields: readonly string[]): number {
  return fields
    .slice(FIRST_CPU_FIELD, FIRST_CPU_FIELD + CPU_FIELDS)
    .reduce((sum, ticks) => sum + Number(ticks), 0);
}

function fieldsOf(pid: string): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    // It is over, or this is no Linux.
    return null;
  }
}
