/** The coordinator process that stands by while another leads. */
import { Coordinator } from "@weft/coordinator";
import { argumentOfRun, serve, serverOfRun } from "../child-service.ts";

const coordinator = await Coordinator.start({
  servers: serverOfRun(),
  namespace: argumentOfRun(),
  log: console.log,
});
serve({}, () => coordinator.stop());
