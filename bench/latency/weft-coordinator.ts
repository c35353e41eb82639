/** The coordinator process of Weft. */
import { Coordinator } from "@weft/coordinator";
import { serve, serverOfRun } from "../child-service.ts";

const coordinator = await Coordinator.start({ servers: serverOfRun(), create: true, log: console.log });
await coordinator.untilLeading();
serve({}, () => coordinator.stop());
