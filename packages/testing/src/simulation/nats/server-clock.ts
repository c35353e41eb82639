/** The wall clock of a server's node, which stamps what is stored. It may be wrong. */
import type { SimLoop } from "../loop.ts";
import { type ClockFault, EPOCH_MS } from "../sim-process.ts";

export class ServerClock {
  private readonly loop: SimLoop;
  private fault: ClockFault = { rate: 1, offsetMs: 0 };
  private ranMs = 0;
  private changedAtMs = 0;

  constructor(loop: SimLoop) {
    this.loop = loop;
  }

  setFault(fault: ClockFault): void {
    this.ranMs = this.nowMs();
    this.changedAtMs = this.loop.nowMs;
    // Right again means right.
    if (fault.rate === 1 && fault.offsetMs === 0) this.ranMs = this.loop.nowMs;
    this.fault = fault;
  }

  wallMs(): number {
    return Math.floor(EPOCH_MS + this.nowMs() + this.fault.offsetMs);
  }

  private nowMs(): number {
    return this.ranMs + (this.loop.nowMs - this.changedAtMs) * this.fault.rate;
  }
}
