/** The client process of Weft, which does what `weft replay` does. */
import { connect } from "@weft/client";
import { replay } from "../../packages/cli/src/replay/replay.ts";
import { serve, serverOfRun } from "../child-service.ts";
import type { ReplayClientContract } from "./contract.ts";

const client = await connect({ servers: serverOfRun(), onError: (error) => console.error(error) });
const nothing = (): void => undefined;

const contract: ReplayClientContract = {
  async run(workflow) {
    const graph = { workflow, spin: false, label: null };
    const { makespanMs, failure } = await replay(client, graph, { submitted: nothing, settled: nothing });
    if (failure !== null) throw failure.settlement.error;
    return makespanMs;
  },
};
serve(contract, () => client.close());
