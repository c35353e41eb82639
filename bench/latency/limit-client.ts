/** The client process of the limit: appends the next message when the one before has come back. */
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { ClientContract, ClientSight, Order } from "./contract.ts";
import {
  Appends,
  connectBare,
  indexOf,
  KIND,
  LOG_SUBMIT,
  messageFor,
  PROGRESS,
  TO_CLIENT,
} from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "client");
const appends = new Appends(nats, "client");
let progressMs: number | null = null;
let onBack: (backMs: number) => void = () => undefined;

nats.subscribe(TO_CLIENT, {
  callback: (error, { data }) => {
    if (error === null && data[0] !== KIND.first) onBack(monotonicMs());
  },
});
nats.subscribe(PROGRESS, {
  callback: (error) => {
    if (error === null) progressMs ??= monotonicMs();
  },
});

async function sightOf(run: Order["run"], index: number): Promise<ClientSight> {
  progressMs = null;
  const submittedMs = monotonicMs();
  const message = messageFor(run, index);
  appends.append(LOG_SUBMIT, message);
  const backMs = await new Promise<number>((resolve) => {
    onBack = resolve;
  });
  return {
    index,
    key: String(indexOf(message)),
    submittedMs,
    completedMs: backMs,
    resultMs: backMs,
    progressMs,
  };
}

const contract: ClientContract = {
  async run({ run, first, count }: Order) {
    const sights: ClientSight[] = [];
    for (let index = first; index < first + count; index++) sights.push(await sightOf(run, index));
    await appends.assertStored();
    return sights;
  },
};
serve(contract, () => nats.close());
