/** The client process of the limit: appends records with a few on their way, and counts the outcomes that come back. */
import { decodeValue, encodeValue, type Submission } from "@weft/protocol";
import { serve } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { argumentOf, type ClientContract, Stopwatch } from "./contract.ts";
import { LimitClientLink } from "./limit-client-link.ts";
import { idOf, indexOf, NAME, RECORD_BYTES_TARGET, TASK_BYTES } from "./limit-wire.ts";

const link = await LimitClientLink.open();

const contract: ClientContract = {
  run({ count, bytes, perCall, unsettledMax }) {
    const watch = new Stopwatch(count, monotonicMs);
    const argument = argumentOf(bytes);
    // What is submitted in one turn goes together, and nothing else.
    const perRecord =
      perCall > 1 ? perCall : Math.max(1, Math.floor(RECORD_BYTES_TARGET / (bytes + TASK_BYTES)));
    let next = 0;
    const send = (): void => {
      while (link.hasRoom && next < count) {
        const room = unsettledMax === null ? count : unsettledMax - watch.unsettled;
        const size = Math.min(perRecord, count - next, room);
        if (size < Math.min(perCall, count - next)) return;
        const tasks: Submission[] = [];
        for (const end = next + size; next < end; next++) {
          watch.submit(next);
          const args = encodeValue(argument, "an argument");
          tasks.push({ id: idOf(next), name: NAME, args, dependsOn: [], options: null });
        }
        link.append(tasks);
      }
    };
    link.onRoom = send;
    link.onSettled = (settled) => {
      for (const { id, value } of settled)
        if (value !== null && decodeValue(value) === bytes) watch.settle(indexOf(id));
      send();
    };
    send();
    return watch.result();
  },
};
serve(contract, () => link.nats.close());
