/** The client process of the limit: appends records with a few on their way, and counts what comes back. */
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectBare, LOG_SUBMIT, TO_CLIENT } from "../latency/limit-wire.ts";
import { type ClientContract, Stopwatch } from "./contract.ts";
import { HEAD_BYTES, headOf, RECORD_BYTES_TARGET, recordOf, TASK_BYTES, WINDOW } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "client");
const reply = "_I.limit.client.acks";
let onAck: () => void = () => undefined;
let onBack: (first: number, count: number) => void = () => undefined;

nats.subscribe(reply, {
  callback: (error) => {
    if (error === null) onAck();
  },
});
nats.subscribe(TO_CLIENT, {
  callback: (error, { data }) => {
    if (error !== null) return;
    const { first, count } = headOf(data);
    onBack(first, count);
  },
});

const contract: ClientContract = {
  run({ count, bytes, perCall, unsettledMax }) {
    const watch = new Stopwatch(count, monotonicMs);
    const bytesEach = bytes + TASK_BYTES;
    const perRecord = Math.min(
      perCall > 1 ? perCall : Number.POSITIVE_INFINITY,
      Math.max(1, Math.floor((RECORD_BYTES_TARGET - HEAD_BYTES) / bytesEach)),
    );
    let next = 0;
    let inFlight = 0;
    const send = (): void => {
      while (inFlight < WINDOW && next < count) {
        const room = unsettledMax === null ? count : unsettledMax - watch.unsettled;
        const size = Math.min(perRecord, count - next, room);
        if (size <= 0) return;
        for (let index = next; index < next + size; index++) watch.submit(index);
        nats.publish(LOG_SUBMIT, recordOf(next, size, bytesEach), { reply });
        next += size;
        inFlight++;
      }
    };
    onAck = () => {
      inFlight--;
      send();
    };
    onBack = (first, size) => {
      for (let index = first; index < first + size; index++) watch.settle(index);
      if (unsettledMax !== null) send();
    };
    send();
    return watch.result();
  },
};
serve(contract, () => nats.close());
