/** The worker process of Weft, with a slot for each task of the workflow: how many is what it is told. */
import { Worker } from "@weft/worker";
import { replaySleep } from "../../packages/cli/src/replay/tasks.ts";
import { argumentOfRun, serve, serverOfRun } from "../child-service.ts";

const worker = await Worker.start({
  servers: serverOfRun(),
  tasks: { replaySleep },
  slots: Number(argumentOfRun()),
  log: console.log,
});
serve({}, () => worker.stop());
