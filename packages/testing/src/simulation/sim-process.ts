/**
 * One process of a simulation: a client, worker or coordinator. It has clocks of its own, which may be wrong, and can be
 * frozen and killed at any moment. Whatever reaches it (a timer, a message, an answer) comes through `deliver`.
 *
 * P1 A killed process does nothing more.
 * P2 What reaches a frozen process waits until it goes on, in order.
 */
import type { Clock, Entropy } from "@weft/transport";
import type { Dice } from "./dice.ts";
import type { SimLoop } from "./loop.ts";

export type ClockFault = {
  /** How fast its clocks run: 1 is right. */
  readonly rate: number;
  /** What its wall clock is off by. */
  readonly offsetMs: number;
};

/** The simulation begins on some day: wall clocks are counted from it. */
export const EPOCH_MS: number = Date.UTC(2026, 0, 1);
const TOKEN_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

export class SimProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  private readonly loop: SimLoop;
  private fault: ClockFault = { rate: 1, offsetMs: 0 };
  /** What its monotonic clock said when its rate changed last, and when that was. */
  private ranMs = 0;
  private changedAtMs = 0;
  private waiting: (() => void)[] | null = null;
  private killed = false;

  constructor(name: string, loop: SimLoop, dice: Dice) {
    this.name = name;
    this.loop = loop;
    const character = (): number => TOKEN_CHARACTERS.charCodeAt(dice.below(TOKEN_CHARACTERS.length));
    this.entropy = {
      token: (length) => String.fromCharCode(...Array.from({ length }, character)),
      character,
      below: (limit) => dice.below(limit),
    };
    this.clock = {
      nowMs: () => this.nowMs(),
      wallMs: () => Math.floor(EPOCH_MS + this.nowMs() + this.fault.offsetMs),
      after: (waitMs, act) => this.once(waitMs, act),
      endOfCall: (act) => void loop.after(0, () => this.deliver(act)),
      endOfTurn: (act) => void loop.after(0, () => this.deliver(act)),
      every: (periodMs, act) => this.repeat(periodMs, act),
    };
  }

  get isKilled(): boolean {
    return this.killed;
  }

  get isFrozen(): boolean {
    return this.waiting !== null;
  }

  /** From now on its clocks are wrong in this way. */
  setClockFault(fault: ClockFault): void {
    this.ranMs = this.nowMs();
    this.changedAtMs = this.loop.nowMs;
    this.fault = fault;
  }

  /** Runs what reaches this process: now, later, or never. */
  deliver(act: () => void): void {
    if (this.killed) return;
    if (this.waiting === null) act();
    else this.waiting.push(act);
  }

  freeze(forMs: number): void {
    if (this.killed || this.waiting !== null) return;
    this.waiting = [];
    this.loop.after(forMs, () => this.thaw());
  }

  kill(): void {
    this.killed = true;
    this.waiting = null;
  }

  private nowMs(): number {
    return this.ranMs + (this.loop.nowMs - this.changedAtMs) * this.fault.rate;
  }

  private thaw(): void {
    const waiting = this.waiting ?? [];
    this.waiting = null;
    // Each in an event of its own, in order, as an event loop takes them one by one.
    for (const act of waiting) this.loop.after(0, () => this.deliver(act));
  }

  /** One that is cancelled does not fire, also where it has waited while the process was frozen. */
  private once(waitMs: number, act: () => void): { readonly cancel: () => void } {
    let isCancelled = false;
    const timer = this.loop.after(waitMs / this.fault.rate, () =>
      this.deliver(() => {
        if (!isCancelled) act();
      }),
    );
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  private repeat(periodMs: number, act: () => void): { readonly cancel: () => void } {
    let isCancelled = false;
    let timer = this.loop.after(0, () => undefined);
    const again = (): void => {
      timer = this.loop.after(periodMs / this.fault.rate, () =>
        this.deliver(() => {
          if (isCancelled) return;
          again();
          act();
        }),
      );
    };
    again();
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }
}
