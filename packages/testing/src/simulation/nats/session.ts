/**
 * One connection over TCP, from its dial to its end. What is sent either way arrives late, in order per sender, or not at
 * all once the connection is lost; nobody is told of that.
 */
import type { SimLoop } from "../loop.ts";
import { Lane } from "./lane.ts";
import type { SimMessage } from "./message.ts";

/** The client's end. */
export type SessionClient = {
  readonly isKilled: boolean;
  arrived(sid: number, message: SimMessage): void;
};

export type SessionOptions = {
  readonly id: number;
  /** The node of the cluster that it is connected to. */
  readonly node: number;
  readonly loop: SimLoop;
  readonly delayMs: () => number;
  readonly client: SessionClient;
};

export class Session {
  readonly id: number;
  readonly node: number;
  private readonly options: SessionOptions;
  private readonly up: Lane;
  private readonly down = new Map<string, Lane>();
  private lost = false;

  constructor(options: SessionOptions) {
    this.options = options;
    this.id = options.id;
    this.node = options.node;
    this.up = new Lane(options.loop);
  }

  get isLost(): boolean {
    return this.lost;
  }

  /** The server sees at once that a process ended, unless the network between them is gone. */
  get isEnded(): boolean {
    return !this.lost && this.options.client.isKilled;
  }

  get source(): string {
    return `session ${this.id}`;
  }

  toServer(act: () => void): void {
    if (this.lost) return;
    this.up.send(this.options.delayMs(), () => {
      if (!this.lost) act();
    });
  }

  /** Messages of one source keep their order; those of different sources take different ways. */
  toClient(source: string, act: (client: SessionClient) => void): void {
    if (this.lost) return;
    let lane = this.down.get(source);
    if (lane === undefined) {
      lane = new Lane(this.options.loop);
      this.down.set(source, lane);
    }
    lane.send(this.options.delayMs(), () => {
      if (!this.lost) act(this.options.client);
    });
  }

  /** From now on nothing arrives, either way, what is on its way included. */
  lose(): void {
    this.lost = true;
  }
}
