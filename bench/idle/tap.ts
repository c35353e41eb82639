/** A process that hears every message of the cluster, and counts them. */
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import { serve, serverOfRun } from "../child-service.ts";
import type { TapContract } from "./contract.ts";

const nats = await connect({ servers: serverOfRun() });
const contract: TapContract = {
  async count(windowMs) {
    let messages = 0;
    const subscription = nats.subscribe(">", {
      callback: () => {
        messages++;
      },
    });
    await pause(windowMs);
    subscription.unsubscribe();
    return messages;
  },
};
serve(contract, () => nats.close());
