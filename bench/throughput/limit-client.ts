/** The client process of the limit: appends records with a few on their way, and counts the outcomes that come back. */
import { decodeClientMessage, decodeValue, encodeRecord, encodeValue, type Submission } from "@weft/protocol";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectBare, LOG_SUBMIT, TO_CLIENT } from "../latency/limit-wire.ts";
import { argumentOf, type ClientContract, Stopwatch } from "./contract.ts";
import { INSTANCE, idOf, indexOf, NAME, RECORD_BYTES_TARGET, TASK_BYTES, WINDOW } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "client");
const reply = "_I.limit.client.acks";
let number = 0;
let onAck: () => void = () => undefined;
let onOutcomes: (data: Uint8Array) => void = () => undefined;

nats.subscribe(reply, {
  callback: (error) => {
    if (error === null) onAck();
  },
});
nats.subscribe(TO_CLIENT, {
  callback: (error, { data }) => {
    if (error === null) onOutcomes(data);
  },
});

const contract: ClientContract = {
  run({ count, bytes, perCall, unsettledMax }) {
    const watch = new Stopwatch(count, monotonicMs);
    const argument = argumentOf(bytes);
    const perRecord = Math.max(1, Math.floor(RECORD_BYTES_TARGET / (bytes + TASK_BYTES)));
    let next = 0;
    let inFlight = 0;
    const send = (): void => {
      while (inFlight < WINDOW && next < count) {
        const room = unsettledMax === null ? count : unsettledMax - watch.unsettled;
        const size = Math.min(perRecord, count - next, room);
        if (size < Math.min(perCall, count - next)) return;
        const tasks: Submission[] = [];
        for (const end = next + size; next < end; next++) {
          watch.submit(next);
          const args = encodeValue(argument, "an argument");
          tasks.push({ id: idOf(next), name: NAME, args, dependsOn: [], options: null });
        }
        const record = encodeRecord({ type: "submit", instance: INSTANCE, number: ++number, tasks });
        nats.publish(LOG_SUBMIT, record, { reply });
        inFlight++;
      }
    };
    onAck = () => {
      inFlight--;
      send();
    };
    onOutcomes = (data) => {
      const read = decodeClientMessage(data);
      if (!read.ok) throw new Error(`an outcome of the limit cannot be read: ${read.kind}`);
      for (const { id, value } of read.value.settled)
        if (value !== null && decodeValue(value) === bytes) watch.settle(indexOf(id));
      send();
    };
    send();
    return watch.result();
  },
};
serve(contract, () => nats.close());
