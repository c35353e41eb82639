/** The worker process of Weft. */
import { Worker } from "@weft/worker";
import { serve, serverOfRun } from "../child-service.ts";
import type { WorkerContract } from "./contract.ts";
import { first, noop, reporting, second, takeSights } from "./weft-tasks.ts";

const worker = await Worker.start({
  servers: serverOfRun(),
  tasks: { first, noop, reporting, second },
  log: console.log,
});
const contract: WorkerContract = { take: takeSights };
serve(contract, () => worker.stop());
