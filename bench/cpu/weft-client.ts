/** The client process of Weft. */
import { connect } from "@weft/client";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { CpuClientContract } from "./contract.ts";

const client = await connect({ servers: serverOfRun(), onError: (error) => console.error(error) });
const { hash } = client.tasks<typeof import("./weft-tasks.ts")>();

const contract: CpuClientContract = {
  async run({ tasks, megabytes }) {
    const beganMs = monotonicMs();
    await Promise.all(Array.from({ length: tasks }, () => hash(megabytes).result()));
    return monotonicMs() - beganMs;
  },
};
serve(contract, () => client.close());
