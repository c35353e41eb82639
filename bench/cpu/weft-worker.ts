/** The worker process of Weft, with its defaults: a slot for each core. */
import { fileURLToPath } from "node:url";
import { Worker } from "@weft/worker";
import { serve, serverOfRun } from "../child-service.ts";

const files = [fileURLToPath(new URL("./weft-tasks.ts", import.meta.url))];
const worker = await Worker.start({ servers: serverOfRun(), files, log: console.log });
serve({}, () => worker.stop());
