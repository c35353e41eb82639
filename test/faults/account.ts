/** What became of every task of a fault run: the account that must balance in the end. */
import type { TaskHandle } from "@weft/client";

export type Balance = {
  readonly acknowledged: number;
  readonly settled: number;
  /** Acknowledged, and unknown to the cluster in the end. */
  readonly lost: number;
  /** Told to a callback more than once. */
  readonly double_outcomes: number;
  /** Acknowledged, known, and without an outcome in the end. */
  readonly hung_handles: number;
  /** Another value than the right one, or an error where there should be none. */
  readonly wrong_results: number;
};

type Entry = { readonly handle: TaskHandle; acknowledged: boolean; outcomes: number };

const WRONG_TOLD_MAX = 20;

export class Account {
  /** Tasks that have not settled; and those that have, once they are known to be acknowledged as well. */
  private readonly open = new Map<string, Entry>();
  private acknowledged = 0;
  private settled = 0;
  private doubles = 0;
  private wrong = 0;
  private readonly tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.tell = tell;
  }

  get openCount(): number {
    return this.open.size;
  }

  get settledCount(): number {
    return this.settled;
  }

  add<T>(handle: TaskHandle<T>, expected: T): void {
    const entry: Entry = { handle, acknowledged: false, outcomes: 0 };
    this.open.set(handle.id, entry);
    const outcome = (fault: string | null): void => {
      if (++entry.outcomes > 1) this.doubles++;
      else this.settled++;
      if (fault !== null) this.blame(handle, fault);
      if (entry.acknowledged) this.open.delete(handle.id);
    };
    handle
      .onComplete((value) =>
        outcome(value === expected ? null : `${String(value)} instead of ${String(expected)}`),
      )
      .onError((error) => outcome(`${error.name}: ${error.message}`));
    handle.accepted.then(
      () => {
        this.acknowledged++;
        entry.acknowledged = true;
        if (entry.outcomes > 0) this.open.delete(handle.id);
      },
      (error: unknown) => this.blame(handle, `not accepted: ${String(error)}`),
    );
  }

  /** Asks the cluster about everything that has not settled. */
  async close(): Promise<Balance> {
    let lost = 0;
    let hung = 0;
    for (const { handle, acknowledged, outcomes } of this.open.values()) {
      if (!acknowledged || outcomes > 0) continue;
      const state = await handle.state().catch((error: unknown) => String(error));
      this.tell(`task ${handle.id} (${handle.name}) has not settled: ${state}`);
      if (state === "unknown") lost++;
      else hung++;
    }
    const { acknowledged, settled, doubles, wrong } = this;
    return {
      acknowledged,
      settled,
      lost,
      double_outcomes: doubles,
      hung_handles: hung,
      wrong_results: wrong,
    };
  }

  private blame(handle: TaskHandle, fault: string): void {
    if (++this.wrong <= WRONG_TOLD_MAX) this.tell(`task ${handle.id} (${handle.name}): ${fault}`);
  }
}
