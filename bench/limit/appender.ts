/** Publishes to the log, and counts acknowledgements: they come in the order of the publishes. */
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectBare, LOG_FINISH } from "../latency/limit-wire.ts";
import { Stopwatch } from "../throughput/contract.ts";
import type { AppenderContract } from "./contract.ts";

const nats = await connectBare(serverOfRun(), "appender");
const reply = "_I.limit.appender.acks";
let onAck: () => void = () => undefined;
nats.subscribe(reply, {
  callback: (error) => {
    if (error === null) onAck();
  },
});

const contract: AppenderContract = {
  append({ count, bytes, inFlight }) {
    const data = new Uint8Array(bytes);
    const watch = new Stopwatch(count, monotonicMs);
    let sent = 0;
    let acknowledged = 0;
    const send = (): void => {
      while (sent < count && sent - acknowledged < inFlight) {
        watch.submit(sent++);
        // A finish, which the bare coordinator passes on to nobody.
        nats.publish(LOG_FINISH, data, { reply });
      }
    };
    onAck = () => {
      watch.settle(acknowledged++);
      send();
    };
    send();
    return watch.result();
  },
};
serve(contract, () => nats.close());
