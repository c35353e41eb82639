/** The inside of a thread. */
import { parentPort, workerData } from "node:worker_threads";
import { DefectError } from "@weft/protocol";
import { Inside } from "./inside.ts";
import type { FromInside, ToInside } from "./messages.ts";
import { ownBytes } from "./own-bytes.ts";
import { type TicketMemory, useTicket } from "./ticket.ts";

if (parentPort === null) throw new DefectError("the thread executor's main was loaded outside a thread");
const port = parentPort;
const ticket: TicketMemory = workerData;
const inside = new Inside(
  (message) => port.postMessage(withOwnValue(message)),
  (job) => useTicket(ticket, job),
);
port.on("message", (message: ToInside) => inside.receive(message));

/** A small value is a view of a buffer that many are packed into. */
function withOwnValue(message: FromInside): FromInside {
  if (message.type !== "ended" || message.end.value === null) return message;
  return { ...message, end: { ...message.end, value: ownBytes(message.end.value) } };
}
