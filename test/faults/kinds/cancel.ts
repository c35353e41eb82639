/** A cancel of code in a thread that heeds nothing. No fault, but it must work amid them. */
import type { Fault } from "../fault.ts";

const SPIN_MS = 60_000;
const STARTED_MAX_MS = 30_000;

export const cancelCpu: Fault = {
  name: "cancel_cpu",
  weight: 3,
  strike: async (arena) => {
    const { prober, calm, measures } = arena;
    const isCalm = calm.watch();
    const task = prober.submit("spin", SPIN_MS, { priority: 1_000 });
    const measured = async (): Promise<void> => {
      await new Promise<void>((started, failed) => {
        const late = setTimeout(() => failed(new Error("it did not begin")), STARTED_MAX_MS);
        task.onProgress(() => {
          clearTimeout(late);
          started();
        });
        task.onError(failed).onComplete(failed);
      });
      const ended = task.cancel("to see how long it takes").then(({ outcome }) => {
        if (outcome !== "cancelled") throw new Error(`it ended as ${outcome}`);
      });
      await measures.take("cancel_cpu", isCalm, ended);
    };
    const healed = measured().catch((error: unknown) => {
      arena.tell(`cancel of a running task: ${String(error)}`);
      task.cancel().catch(() => undefined);
    });
    return { what: "cancel a task that heeds nothing", healed };
  },
};
