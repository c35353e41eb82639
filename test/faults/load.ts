/**
 * What one client submits for as long as it is told to: bulk of small tasks, some work in threads, tasks that depend on
 * earlier ones, some that fail, and some that are cancelled sooner or later.
 */
import type { Client, SubmitOptions, TaskHandle } from "@weft/client";
import type { Dice } from "@weft/testing/simulation";
import type { Expected, Fact, LoadSize, Told } from "./facts.ts";

const RECENT_MAX = 60;
const DEPENDENCIES_MAX = 4;
const PUMP_MS = 5;
/** In one turn, so that a client that has room again still hears of its outcomes meanwhile. */
const BURST_MAX = 200;
const NAP_MAX_MS = 400;

export class Load {
  private readonly client: Client;
  private readonly dice: Dice;
  private readonly note: (fact: Fact) => void;
  private readonly recent: TaskHandle[] = [];
  private timer: NodeJS.Timeout | null = null;
  private openCount = 0;
  /** Tasks that are due by the rate, and not submitted. */
  private due = 0;

  constructor(client: Client, dice: Dice, note: (fact: Fact) => void) {
    this.client = client;
    this.dice = dice;
    this.note = note;
  }

  start({ openMax, perSecond }: LoadSize): void {
    this.stop();
    let pumpedMs = performance.now();
    this.timer = setInterval(() => {
      const nowMs = performance.now();
      // What could not be submitted while the cluster stood still is not made up for: the rate is never exceeded.
      this.due = perSecond === null ? BURST_MAX : this.due + (perSecond * (nowMs - pumpedMs)) / 1_000;
      this.due = Math.min(this.due, BURST_MAX);
      pumpedMs = nowMs;
      for (; this.due >= 1 && this.openCount < openMax; this.due--) this.submitOne();
    }, PUMP_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  /** Follows tasks that another client submitted. */
  follow(ids: readonly string[]): void {
    this.openCount += ids.length;
    for (const id of ids) this.listen(this.client.handle(id), () => undefined);
  }

  private submitOne(): void {
    const { dice, recent } = this;
    const kind = dice.next();
    const n = dice.below(1_000);
    if (kind < 0.2 && recent.length > 0) return this.submitDependent();
    if (kind < 0.21) return void this.add("thread-sum", n, { value: (n * (n - 1)) / 2 });
    if (kind < 0.22) return void this.add("nap", n % NAP_MAX_MS, { value: n % NAP_MAX_MS });
    if (kind < 0.23) return this.submitCancelled(n % NAP_MAX_MS);
    if (kind < 0.235) return this.submitFailing(n);
    recent.push(this.add("echo", n, { value: n }));
    if (recent.length > RECENT_MAX) recent.shift();
  }

  private submitDependent(): void {
    const { dice, recent } = this;
    const dependsOn = Array.from({ length: 1 + dice.below(DEPENDENCIES_MAX) }, () => dice.pick(recent));
    recent.push(this.add("size", undefined, { value: dependsOn.length }, { dependsOn }));
    if (recent.length > RECENT_MAX) recent.shift();
  }

  private submitFailing(n: number): void {
    const handle = this.add("fail", n, { error: "TaskFailedError", cause: "RangeError" });
    this.add(
      "size",
      undefined,
      { error: "TaskFailedError", cause: "DependencyFailedError" },
      { dependsOn: [handle] },
    );
  }

  private submitCancelled(forMs: number): void {
    const handle = this.add("nap", forMs, { value: forMs, mayBeCancelled: true });
    setTimeout(() => {
      handle.cancel("a client changed its mind").then(
        ({ outcome }) => this.note(["answered", handle.id, outcome]),
        () => undefined,
      );
    }, this.dice.below(NAP_MAX_MS));
  }

  private add(name: string, input: unknown, expected: Expected, options: SubmitOptions = {}): TaskHandle {
    const handle = this.client.submit(name, input, options);
    this.openCount++;
    let known = false;
    const accepted = (): void => {
      if (known) return;
      known = true;
      this.note(["accepted", handle.id, expected]);
    };
    // An outcome may be here before the acknowledgement of an append that was repeated: the log had it all the same.
    this.listen(handle, accepted);
    handle.accepted.then(accepted, (error: Error) => {
      if (!known) this.note(["refused", handle.id, error.name]);
    });
    return handle;
  }

  private listen(handle: TaskHandle, first: () => void): void {
    let times = 0;
    const told = (what: Told): void => {
      first();
      if (++times === 1) this.openCount--;
      this.note(["told", handle.id, what, times]);
    };
    handle
      .onComplete((value) => told({ value }))
      .onError((error) => {
        told({ error: error.name, ...causesOf(error), message: error.message });
      });
  }
}

function causesOf({ cause }: Error): { readonly cause?: string; readonly root?: string } {
  if (!(cause instanceof Error)) return {};
  let root = cause;
  while (root.cause instanceof Error) root = root.cause;
  return root === cause ? { cause: cause.name } : { cause: cause.name, root: root.name };
}
