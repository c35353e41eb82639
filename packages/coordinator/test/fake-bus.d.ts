import type { Connection } from "@weft/transport";
import { SimLoop, SimProcess } from "../../testing/src/simulation/index.ts";
export declare class FakeBus {
  readonly loop: SimLoop;
  readonly published: {
    readonly subject: string;
    readonly data: Uint8Array;
  }[];
  /** Says of a message whether it is lost. */
  isLost: (subject: string, data: Uint8Array) => boolean;
  private readonly subscriptions;
  private replies;
  /** A process with clocks of its own, on this bus. */
  process(name: string): SimProcess;
  /** The connection of `<identity>.<name>` as the process `process`. */
  connection(identity: string, process: SimProcess): Connection;
  /** Hands a message to whoever listens. False where nobody does. */
  deliver(subject: string, data: Uint8Array, reply?: string): boolean;
  private busOf;
}
