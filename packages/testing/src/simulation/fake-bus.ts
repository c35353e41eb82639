/** Plain NATS in memory, for one shell at a time: messages arrive at once, and can be dropped. */
import { headers, type MsgHdrs, NoRespondersError, RequestError } from "@nats-io/transport-node";
import type { Identity, InstanceId, Sender } from "@weft/protocol";
import type { Bus, BusMessage, Connection } from "@weft/transport";
import { Dice } from "./dice.ts";
import { SimLoop } from "./loop.ts";
import { SimProcess } from "./sim-process.ts";

type Callback = (error: Error | null, message: BusMessage) => void;
type Subscription = { readonly subject: string; readonly callback: Callback };

export class FakeBus {
  readonly loop: SimLoop = new SimLoop();
  readonly published: { readonly subject: string; readonly data: Uint8Array }[] = [];
  /** Says of a message whether it is lost. */
  isLost: (subject: string, data: Uint8Array) => boolean = () => false;
  /** How long it takes to be told that nobody is there. */
  nobodyMs = 0;
  private readonly subscriptions = new Set<Subscription>();
  private replies = 0;

  /** A process with clocks of its own, on this bus. */
  process(name: string): SimProcess {
    return new SimProcess(name, this.loop, new Dice(1));
  }

  /** The connection of `<identity>.<name>` as the process `process`. */
  connection(identity: string, process: SimProcess): Connection {
    const sender = `${identity}.${process.name}` as Sender;
    return {
      nats: this.busOf(process),
      stream: () => {
        throw new Error("a test without streams");
      },
      clock: process.clock,
      entropy: process.entropy,
      sender,
      identity: identity as Identity,
      instance: process.name as InstanceId,
      servers: [],
    };
  }

  /** Hands a message to whoever listens. False where nobody does. */
  deliver(subject: string, data: Uint8Array, reply?: string, status?: MsgHdrs): boolean {
    if (this.isLost(subject, data)) return true;
    const receivers = [...this.subscriptions].filter((each) => matches(each.subject, subject));
    for (const { callback } of receivers) {
      const respond = (payload?: Uint8Array): boolean => {
        if (reply === undefined) return false;
        this.deliver(reply, payload ?? new Uint8Array());
        return true;
      };
      callback(null, {
        subject,
        data,
        respond,
        ...(reply === undefined ? {} : { reply }),
        ...(status === undefined ? {} : { headers: status }),
      });
    }
    return receivers.length > 0;
  }

  private busOf(process: SimProcess): Bus {
    const subscribe = (subject: string, callback: Callback): { unsubscribe: () => void } => {
      const subscription: Subscription = {
        subject,
        callback: (error, message) => process.deliver(() => callback(error, message)),
      };
      this.subscriptions.add(subscription);
      return { unsubscribe: () => void this.subscriptions.delete(subscription) };
    };
    const bus = {
      publish: (subject: string, data: Uint8Array, options?: { readonly reply?: string }) => {
        this.published.push({ subject, data });
        const reply = options?.reply;
        if (this.deliver(subject, data, reply) || reply === undefined) return;
        this.deliver(reply, new Uint8Array(), undefined, headers(503, "No Responders"));
      },
      subscribe: (subject: string, { callback }: { readonly callback: Callback }) =>
        subscribe(subject, callback),
      request: (subject: string, data: Uint8Array | undefined, { timeout }: { readonly timeout: number }) =>
        new Promise<BusMessage>((resolve, reject) => {
          const reply = `_I.test.${process.name}.${this.replies++}`;
          const over = (): void => {
            late.cancel();
            subscription.unsubscribe();
          };
          const late = process.clock.after(timeout, () => {
            over();
            reject(new Error("no answer in time"));
          });
          const subscription = subscribe(reply, (_, message) => {
            over();
            resolve(message);
          });
          if (this.deliver(subject, data ?? new Uint8Array(), reply)) return;
          over();
          const nobody = new RequestError("nobody", { cause: new NoRespondersError(subject) });
          if (this.nobodyMs === 0) reject(nobody);
          else process.clock.after(this.nobodyMs, () => reject(nobody));
        }),
      isClosed: () => false,
    };
    return bus as unknown as Bus;
  }
}

function matches(pattern: string, subject: string): boolean {
  if (pattern.endsWith(".>")) return subject.startsWith(pattern.slice(0, -1));
  const parts = subject.split(".");
  const wanted = pattern.split(".");
  return wanted.length === parts.length && wanted.every((each, i) => each === "*" || each === parts[i]);
}
