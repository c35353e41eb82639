/** What the clients of a simulation submit: single tasks, chains, fans, tasks that fail, that are cancelled, that wait for nobody. */
import type { Client, SubmitOptions, TaskHandle } from "@weft/client";
import type { Dice } from "@weft/testing/simulation";
import type { Account, Entry } from "./account.ts";
import type { Plan } from "./plan.ts";
import type { SimInput } from "./sim-executor.ts";

export const TASK_NAME = "sum";
const DEPENDENCIES_MAX = 4;
const RECENT_MAX = 30;

export class Workload {
  private readonly account: Account;
  private readonly dice: Dice;
  private readonly plan: Plan;
  private readonly recent: Entry[] = [];
  submitted = 0;

  constructor(account: Account, dice: Dice, plan: Plan) {
    this.account = account;
    this.dice = dice;
    this.plan = plan;
  }

  get isOver(): boolean {
    return this.submitted >= this.plan.tasks;
  }

  /** A few tasks of one client. */
  submit(client: Client, clientName: string): void {
    const count = this.dice.chance(0.2) ? 1 + this.dice.below(20) : 1;
    for (let i = 0; i < count && !this.isOver; i++) this.one(client, clientName);
  }

  private one(client: Client, clientName: string): void {
    const { dice, plan, account } = this;
    this.submitted++;
    const dependsOn = this.dependencies();
    const isDoomed = dice.chance(0.01);
    const failBelow = dice.chance(0.05) ? 100 : 1;
    const add = dice.below(1_000);
    const input: SimInput = { takeMs: dice.next() * plan.taskMsMax, failBelow, add, heeds: dice.chance(0.7) };
    const ids = dependsOn.map((each) => each.id as string);
    const options: SubmitOptions = {
      dependsOn: isDoomed ? [...ids, client.createId()] : ids,
      priority: dice.below(3),
    };
    const handle = client.submit(TASK_NAME, input, options) as TaskHandle<number>;
    const value = dependsOn.reduce((sum, each) => sum + each.value, add);
    const entry = account.open(handle, clientName, { value, failBelow, dependsOn, isDoomed });
    this.recent.push(entry);
    if (this.recent.length > RECENT_MAX) this.recent.shift();
    if (dice.chance(0.05)) this.cancel(handle, entry);
  }

  private cancel(handle: TaskHandle<number>, entry: Entry): void {
    entry.isCancelled = true;
    handle.cancel("the simulation says so").catch(() => undefined);
  }

  private dependencies(): Entry[] {
    const { dice, recent } = this;
    if (recent.length === 0 || dice.chance(0.5)) return [];
    const count = 1 + dice.below(DEPENDENCIES_MAX);
    return [...new Set(Array.from({ length: count }, () => dice.pick(recent)))];
  }
}
