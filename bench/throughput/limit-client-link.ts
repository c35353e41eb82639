/** The link of the limit's client: records to the log with a few on their way, and the outcomes that come back. */
import type { NatsConnection } from "@nats-io/transport-node";
import { decodeClientMessage, encodeRecord, type SettledTask, type Submission } from "@weft/protocol";
import { serverOfRun } from "../child-service.ts";
import { connectBare, LOG_SUBMIT, TO_CLIENT } from "../latency/limit-wire.ts";
import { INSTANCE, WINDOW } from "./limit-wire.ts";

const REPLY = "_I.limit.client.acks";

export class LimitClientLink {
  readonly nats: NatsConnection;
  /** There is room for another record. */
  onRoom: () => void = () => undefined;
  onSettled: (tasks: readonly SettledTask[]) => void = () => undefined;
  private number = 0;
  private inFlight = 0;

  static async open(): Promise<LimitClientLink> {
    return new LimitClientLink(await connectBare(serverOfRun(), "client"));
  }

  private constructor(nats: NatsConnection) {
    this.nats = nats;
    nats.subscribe(REPLY, {
      callback: (error) => {
        if (error !== null) return;
        this.inFlight--;
        this.onRoom();
      },
    });
    nats.subscribe(TO_CLIENT, {
      callback: (error, { data }) => {
        if (error !== null) return;
        const read = decodeClientMessage(data);
        if (!read.ok) throw new Error(`an outcome of the limit cannot be read: ${read.kind}`);
        this.onSettled(read.value.settled);
      },
    });
  }

  get hasRoom(): boolean {
    return this.inFlight < WINDOW;
  }

  append(tasks: readonly Submission[]): void {
    const record = encodeRecord({ type: "submit", instance: INSTANCE, number: ++this.number, tasks });
    this.nats.publish(LOG_SUBMIT, record, { reply: REPLY });
    this.inFlight++;
  }
}
