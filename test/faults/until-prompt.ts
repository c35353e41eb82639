/** Waits until the cluster is as it was before the last fault, so that the next one does not strike what still recovers. */
import type { Arena } from "./arena.ts";
import type { Condition } from "./calm.ts";
import { pause, probe } from "./fault.ts";

/** A cluster that needs longer does not hold up the run. */
const CALM_MAX_MS = 60_000;
const LOOK_AGAIN_MS = 100;

/** Resolves at the end of the run at the latest. */
export async function untilPrompt(arena: Arena, endMs: number): Promise<void> {
  const startedMs = performance.now();
  const lastMs = Math.min(endMs, startedMs + CALM_MAX_MS);
  for (;;) {
    const unrest = arena.calm.unrest(await conditionOf(arena, lastMs));
    if (unrest === null) return;
    const nowMs = performance.now();
    if (nowMs >= lastMs) {
      arena.tell(`not calm after ${Math.round(nowMs - startedMs)} ms: ${unrest}`);
      return;
    }
    await pause(LOOK_AGAIN_MS);
  }
}

async function conditionOf(arena: Arena, lastMs: number): Promise<Condition> {
  const log = await arena.observer.logState();
  const submittedMs = performance.now();
  const taskMs = probe(arena).then(
    ({ toldAtMs }) => toldAtMs - submittedMs,
    () => null,
  );
  const late = pause(Math.max(0, lastMs - submittedMs)).then(() => null);
  return { log, taskMs: await Promise.race([taskMs, late]) };
}
