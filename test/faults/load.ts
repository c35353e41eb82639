/** Clients that submit for as long as a run lasts: single tasks, work in threads, and tasks that depend on earlier ones. */
import type { Client, TaskHandle } from "@weft/client";
import type { Dice } from "@weft/testing/simulation";
import type { Account } from "./account.ts";

const OPEN_MAX = 400;
const RECENT_MAX = 60;
const DEPENDENCIES_MAX = 4;
const PUMP_MS = 5;

export class Load {
  private readonly client: Client;
  private readonly account: Account;
  private readonly dice: Dice;
  private readonly recent: TaskHandle[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(client: Client, account: Account, dice: Dice) {
    this.client = client;
    this.account = account;
    this.dice = dice;
  }

  start(): void {
    this.timer = setInterval(() => this.pump(), PUMP_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  private pump(): void {
    while (this.account.openCount < OPEN_MAX) {
      const handle = this.submitOne();
      this.recent.push(handle);
      if (this.recent.length > RECENT_MAX) this.recent.shift();
    }
  }

  private submitOne(): TaskHandle {
    const { client, account, dice, recent } = this;
    if (recent.length > 0 && dice.chance(0.35)) {
      const dependsOn = Array.from({ length: 1 + dice.below(DEPENDENCIES_MAX) }, () => dice.pick(recent));
      const handle = client.submit<number>("size", undefined, { dependsOn });
      account.add(handle, dependsOn.length);
      return handle;
    }
    const n = dice.below(1_000);
    if (dice.chance(0.2)) {
      const handle = client.submit<number>("thread-sum", n);
      account.add(handle, (n * (n - 1)) / 2);
      return handle;
    }
    const handle = client.submit<number>("echo", n);
    account.add(handle, n);
    return handle;
  }
}
