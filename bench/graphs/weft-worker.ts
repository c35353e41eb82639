/** The worker process of Weft, with its defaults. */
import { defineTask, Worker } from "@weft/worker";
import { serve, serverOfRun } from "../child-service.ts";

const noop = defineTask("noop", () => null);
const worker = await Worker.start({ servers: serverOfRun(), tasks: { noop }, log: console.log });
serve({}, () => worker.stop());
