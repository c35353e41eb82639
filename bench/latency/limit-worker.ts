/** The worker process of the limit: appends a finish for whatever comes. */
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { GO_ON_MS, type WorkerContract, type WorkerMoment, type WorkerSight } from "./contract.ts";
import { Appends, connectBare, indexOf, KIND, LOG_FINISH, PROGRESS, TO_WORKER } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "worker");
const appends = new Appends(nats, "worker");
const seen: WorkerSight[] = [];

nats.subscribe(TO_WORKER, {
  callback: (error, { data }) => {
    if (error === null) finish(data);
  },
});

function finish(data: Uint8Array): void {
  if (data[0] === KIND.first) note(data, "first_ended");
  else if (data[0] === KIND.second) note(data, "second_started");
  else if (data[0] === KIND.progress) {
    note(data, "reported");
    nats.publish(PROGRESS, data);
    setTimeout(() => appends.append(LOG_FINISH, data), GO_ON_MS);
    return;
  }
  appends.append(LOG_FINISH, data);
}

function note(data: Uint8Array, moment: WorkerMoment): void {
  seen.push({ index: indexOf(data), moment, atMs: monotonicMs() });
}

const contract: WorkerContract = {
  async take() {
    await appends.assertStored();
    return seen.splice(0);
  },
};
serve(contract, () => nats.close());
