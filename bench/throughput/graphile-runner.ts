/** The worker process of graphile-worker, with the settings that its page on performance gives. */
import { EventEmitter } from "node:events";
import { Logger, run, type WorkerEvents, WorkerPreset } from "graphile-worker";
import { serve, serverOfRun } from "../child-service.ts";
import { openOutcomes } from "../rivals/outcome-channel.ts";

const connectionString = serverOfRun();
const outcomes = await openOutcomes(connectionString);
const events: WorkerEvents = new EventEmitter();
events.on("job:complete", ({ job, error }) => {
  if (error !== null && error !== undefined) console.error(error);
  const { index } = job.payload as { readonly index: number };
  outcomes.tell(index);
});
const runner = await run({
  preset: {
    extends: [WorkerPreset],
    worker: {
      connectionString,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  events,
  // It tells of every job, which costs.
  logger: new Logger(() => () => undefined),
  taskList: {
    noop(payload) {
      const { argument } = payload as { readonly argument: string };
      if (argument.length === 0) throw new Error("the argument is lost");
    },
  },
});

serve({}, async () => {
  await runner.stop();
  await outcomes.close();
});
