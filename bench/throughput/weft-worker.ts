/** The worker process of Weft, with its defaults. */
import { Worker } from "@weft/worker";
import { namespaceOfRun, serve, serverOfRun } from "../child-service.ts";
import { noop } from "./weft-tasks.ts";

const worker = await Worker.start({
  servers: serverOfRun(),
  namespace: namespaceOfRun(),
  tasks: { noop },
  log: console.log,
});
serve({}, () => worker.stop());
