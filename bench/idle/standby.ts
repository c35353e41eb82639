/** A coordinator process that stands by. */
import { Coordinator } from "@weft/coordinator";
import { serve, serverOfRun } from "../child-service.ts";

const coordinator = await Coordinator.start({ servers: serverOfRun(), log: console.log });
serve({}, () => coordinator.stop());
