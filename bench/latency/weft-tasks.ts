/** The tasks that the worker process of Weft runs, inline: the executor is not what is measured. */
import { setTimeout as pause } from "node:timers/promises";
import { defineTask, type TaskDefinition } from "@weft/worker";
import { monotonicMs } from "../clock.ts";
import { GO_ON_MS, type WorkerMoment, type WorkerSight } from "./contract.ts";

const seen: WorkerSight[] = [];

function note(index: number, moment: WorkerMoment): void {
  seen.push({ index, moment, atMs: monotonicMs() });
}

export function takeSights(): readonly WorkerSight[] {
  return seen.splice(0);
}

export const noop: TaskDefinition<"noop", number, number> = defineTask("noop", (index: number) => index);

export const first: TaskDefinition<"first", number, number> = defineTask("first", (index: number) => {
  note(index, "first_ended");
  return index;
});

export const second: TaskDefinition<"second", number, number> = defineTask("second", (index: number) => {
  note(index, "second_started");
  return index;
});

export const reporting: TaskDefinition<"reporting", number, number> = defineTask(
  "reporting",
  async (index: number, ctx) => {
    note(index, "reported");
    ctx.progress(0.5);
    await pause(GO_ON_MS);
    return index;
  },
);
