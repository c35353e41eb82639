/** A coordinator process that keeps what has settled for as short as it may. */
import { Coordinator } from "@weft/coordinator";
import { serve, serverOfRun } from "../child-service.ts";
import { held } from "./held.ts";

const RETENTION_MS = 600_000;

const coordinator = await Coordinator.start({
  servers: serverOfRun(),
  create: true,
  retention: { ageMs: RETENTION_MS },
  log: console.log,
});
await coordinator.untilLeading();
serve({ held }, () => coordinator.stop());
