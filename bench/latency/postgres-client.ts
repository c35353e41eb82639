/** The client process of graphile-worker or of pg-boss: the worker tells it of outcomes. */
import { makeWorkerUtils } from "graphile-worker";
import { argumentOfRun, serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { listenForOutcomes } from "../rivals/outcome-channel.ts";
import { openBoss, QUEUE } from "../throughput/pg-boss-queue.ts";
import type { ClientContract, ClientSight, Order } from "./contract.ts";

type Rival = {
  readonly submit: (index: number) => Promise<unknown>;
  readonly close: () => Promise<unknown>;
};

const ARGUMENT = "x";
const server = serverOfRun();
const rival = argumentOfRun() === "pg-boss" ? await pgBoss() : await graphileWorker();
let onOutcome: (atMs: number) => void = () => undefined;
const outcomes = await listenForOutcomes(server, () => onOutcome(monotonicMs()));

async function pgBoss(): Promise<Rival> {
  const boss = await openBoss(server);
  return {
    submit: (index) => boss.send(QUEUE, { index, argument: ARGUMENT }),
    close: () => boss.stop({ graceful: false }),
  };
}

async function graphileWorker(): Promise<Rival> {
  const utils = await makeWorkerUtils({ connectionString: server });
  return {
    submit: (index) => utils.addJob("noop", { index, argument: ARGUMENT }),
    close: async () => utils.release(),
  };
}

async function sightOf(index: number): Promise<ClientSight> {
  const outcome = new Promise<number>((resolve) => {
    onOutcome = resolve;
  });
  const submittedMs = monotonicMs();
  const [resultMs] = await Promise.all([outcome, rival.submit(index)]);
  return { index, key: String(index), submittedMs, completedMs: resultMs, resultMs, progressMs: null };
}

const contract: ClientContract = {
  async run({ first, count }: Order) {
    const sights: ClientSight[] = [];
    for (let index = first; index < first + count; index++) sights.push(await sightOf(index));
    return sights;
  },
};

serve(contract, async () => {
  await outcomes.close();
  await rival.close();
});
