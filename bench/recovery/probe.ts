/** A client and a worker of a task of their own, which tells when somebody dispatches. */
import { connect } from "@weft/client";
import { defineTask, Worker } from "@weft/worker";
import { argumentOfRun, serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { ProbeContract } from "./contract.ts";

const place = { servers: serverOfRun(), namespace: argumentOfRun() };
const probe = defineTask("probe", () => monotonicMs());
const worker = await Worker.start({ ...place, tasks: { probe }, log: console.log });
const client = await connect({ ...place, onError: (error) => console.error(error) });
const contract: ProbeContract = { beganMs: () => client.submit<number>("probe").result() };
serve(contract, async () => {
  await client.close();
  await worker.stop();
});
