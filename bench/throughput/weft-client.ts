/** The client process of Weft: what a user would write. */
import { connect } from "@weft/client";
import { namespaceOfRun, serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { argumentOf, type ClientContract, Stopwatch } from "./contract.ts";

const client = await connect({
  servers: serverOfRun(),
  namespace: namespaceOfRun(),
  onError: (error) => console.error(error),
});
const tasks = client.tasks<typeof import("./weft-tasks.ts")>();

const contract: ClientContract = {
  async run({ count, bytes, perCall, unsettledMax }) {
    const argument = argumentOf(bytes);
    const watch = new Stopwatch(count, monotonicMs);
    for (let index = 0; index < count; index++) {
      if (unsettledMax !== null) await watch.room(1, unsettledMax);
      watch.submit(index);
      tasks.noop(argument).onComplete(() => watch.settle(index));
      // What is submitted in one turn goes together; a turn ends here.
      if (perCall > 1 && (index + 1) % perCall === 0) await new Promise((turn) => setImmediate(turn));
    }
    return watch.result();
  },
};
serve(contract, () => client.close());
