/** The client process of graphile-worker. */
import { makeWorkerUtils } from "graphile-worker";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { listenForOutcomes } from "../rivals/outcome-channel.ts";
import { submitAll } from "./calls.ts";
import { argumentOf, type ClientContract, Stopwatch } from "./contract.ts";

/** And as many connections: with more it is no faster. */
const CALLS_MAX = 10;

const connectionString = serverOfRun();
const utils = await makeWorkerUtils({ connectionString, maxPoolSize: CALLS_MAX });
let settle: (index: number) => void = () => undefined;
const outcomes = await listenForOutcomes(connectionString, (index) => settle(index));

const contract: ClientContract = {
  async run(order) {
    const argument = argumentOf(order.bytes);
    const watch = new Stopwatch(order.count, monotonicMs);
    settle = (index) => watch.settle(index);
    const call = (first: number, end: number): Promise<unknown> => {
      if (order.perCall === 1) return utils.addJob("noop", { index: first, argument });
      const indexes = Array.from({ length: end - first }, (_, offset) => first + offset);
      return utils.addJobs(indexes.map((index) => ({ identifier: "noop", payload: { index, argument } })));
    };
    await submitAll({ order, watch, callsMax: CALLS_MAX, call });
    return watch.result();
  },
};

serve(contract, async () => {
  await outcomes.close();
  await utils.release();
});
