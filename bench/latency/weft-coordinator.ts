/** The coordinator process of Weft. */
import { Coordinator } from "@weft/coordinator";
import { namespaceOfRun, serve, serverOfRun } from "../child-service.ts";

const coordinator = await Coordinator.start({
  servers: serverOfRun(),
  namespace: namespaceOfRun(),
  create: true,
  log: console.log,
});
await coordinator.untilLeading();
serve({}, () => coordinator.stop());
