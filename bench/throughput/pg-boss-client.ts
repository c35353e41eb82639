/** The client process of pg-boss. */
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { listenForOutcomes } from "../rivals/outcome-channel.ts";
import { submitAll } from "./calls.ts";
import { argumentOf, type ClientContract, Stopwatch } from "./contract.ts";
import { CONNECTIONS, openBoss, QUEUE } from "./pg-boss-queue.ts";

const server = serverOfRun();
const boss = await openBoss(server);
let settle: (index: number) => void = () => undefined;
const outcomes = await listenForOutcomes(server, (index) => settle(index));

const contract: ClientContract = {
  async run(order) {
    const argument = argumentOf(order.bytes);
    const watch = new Stopwatch(order.count, monotonicMs);
    settle = (index) => watch.settle(index);
    const call = (first: number, end: number): Promise<unknown> => {
      if (order.perCall === 1) return boss.send(QUEUE, { index: first, argument });
      const indexes = Array.from({ length: end - first }, (_, offset) => first + offset);
      return boss.insert(
        QUEUE,
        indexes.map((index) => ({ data: { index, argument } })),
      );
    };
    await submitAll({ order, watch, callsMax: CONNECTIONS, call });
    return watch.result();
  },
};

serve(contract, async () => {
  await outcomes.close();
  await boss.stop({ graceful: false });
});
