/** The inside of a thread. */
import { parentPort } from "node:worker_threads";
import { DefectError } from "@weft/protocol";
import { Inside } from "./inside.ts";
import type { ToInside } from "./messages.ts";

if (parentPort === null) throw new DefectError("the thread executor's main was loaded outside a thread");
const port = parentPort;
const inside = new Inside((message) => port.postMessage(message));
port.on("message", (message: ToInside) => inside.receive(message));
