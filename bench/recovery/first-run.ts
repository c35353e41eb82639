/** The worker process that waits for the recovered coordinator to give it something. */
import { setTimeout as pause } from "node:timers/promises";
import { defineTask, Worker } from "@weft/worker";
import { argumentOfRun, serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { FirstRunContract } from "./contract.ts";
import { TASK_NAME } from "./task-records.ts";

const TASK_MS = 100;

const first = Promise.withResolvers<number>();
const recovered = defineTask(TASK_NAME as string, async () => {
  first.resolve(monotonicMs());
  await pause(TASK_MS);
});
const worker = await Worker.start({
  servers: serverOfRun(),
  namespace: argumentOfRun(),
  tasks: { recovered },
  slots: 1,
  log: console.log,
});
const contract: FirstRunContract = { firstRunMs: () => first.promise };
serve(contract, () => worker.stop());
