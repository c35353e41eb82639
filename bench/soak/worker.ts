/** A worker process with its defaults. */
import { Worker } from "@weft/worker";
import { serve, serverOfRun } from "../child-service.ts";
import { held } from "./held.ts";
import { noop } from "./tasks.ts";

const worker = await Worker.start({ servers: serverOfRun(), tasks: { noop }, log: console.log });
serve({ held }, () => worker.stop());
