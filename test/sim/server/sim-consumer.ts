/** A push consumer without acknowledgements: delivers a stream in order from a sequence on, with heartbeats when idle. */
import { type MsgHdrs, MsgHdrsImpl } from "@nats-io/transport-node";
import type { StoredMessage } from "@weft/transport";
import type { SimMessage } from "./sim-bus.ts";
import type { SimStream } from "./sim-stream.ts";

export class SimConsumer {
  readonly deliverTo: string;
  private readonly stream: SimStream;
  private readonly send: (to: string, message: SimMessage) => void;
  private nextSeq: number;
  private delivered = 0;
  private sentSinceBeat = true;
  stopped = false;

  constructor(options: {
    readonly stream: SimStream;
    readonly deliverTo: string;
    readonly fromSeq: number;
    readonly send: (to: string, message: SimMessage) => void;
  }) {
    this.stream = options.stream;
    this.deliverTo = options.deliverTo;
    this.nextSeq = options.fromSeq;
    this.send = options.send;
  }

  /** Delivers what there is. */
  pump(): void {
    if (this.stopped) return;
    for (
      let message = this.stream.from(this.nextSeq);
      message !== null;
      message = this.stream.from(this.nextSeq)
    ) {
      this.nextSeq = message.seq + 1;
      this.sentSinceBeat = true;
      this.send(this.deliverTo, this.delivery(message));
    }
  }

  beat(): void {
    const isIdle = !this.sentSinceBeat;
    this.sentSinceBeat = false;
    if (this.stopped || !isIdle) return;
    const headers: MsgHdrs = new MsgHdrsImpl(100, "Idle Heartbeat");
    headers.set("Nats-Last-Consumer", String(this.delivered));
    headers.set("Nats-Last-Stream", String(this.nextSeq - 1));
    this.send(this.deliverTo, {
      subject: this.deliverTo,
      data: new Uint8Array(0),
      reply: undefined,
      headers,
    });
  }

  private delivery({ seq, subject, data, stampMs }: StoredMessage): SimMessage {
    const pending = this.stream.last - seq;
    this.delivered++;
    const reply = `$JS.ACK.${this.stream.name}.sim.1.${seq}.${this.delivered}.${Math.floor(stampMs)}000000.${pending}`;
    return { subject, data, reply, headers: undefined };
  }
}
