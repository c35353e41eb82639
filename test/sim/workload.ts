/**
 * What the clients of a simulation submit: single tasks, chains, fans, trees, tasks that fail and are tried again, that have
 * too little time, that are cancelled, that wait for nobody.
 */
import type { CancelOptions, Client, SubmitOptions, TaskHandle } from "@weft/client";
import type { Dice } from "@weft/testing/simulation";
import type { Account, Entry, Limit } from "./account.ts";
import type { Plan } from "./plan.ts";
import type { SimInput, SimRun } from "./sim-executor.ts";

export const TASK_NAME = "sum";
const DEPENDENCIES_MAX = 4;
const RECENT_MAX = 30;

export class Workload {
  private readonly account: Account;
  private readonly dice: Dice;
  private readonly plan: Plan;
  private readonly recent: Entry[] = [];
  /** What runs now: what has children has them while it runs. */
  private readonly running: () => readonly SimRun[];
  submitted = 0;

  constructor(account: Account, dice: Dice, plan: Plan, running: () => readonly SimRun[]) {
    this.account = account;
    this.running = running;
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
    const { retry, failBelow } = this.tries();
    const { limits, limitOptions } = this.limits();
    const parent = this.parent();
    const add = dice.below(1_000);
    const takeMs = dice.next() * (this.submitted <= plan.longTasks ? plan.busyMs : plan.taskMsMax);
    const input: SimInput = { takeMs, failBelow, add, heeds: dice.chance(0.7) };
    const keepsResult = !dice.chance(plan.policies.unkept);
    const ids = dependsOn.map((each) => each.id as string);
    const options: SubmitOptions = {
      dependsOn: isDoomed ? [...ids, client.createId()] : ids,
      priority: dice.below(3),
      // Few slots may have work for longer than the ten minutes that it would be.
      dependencyTimeout: "off",
      keepResult: keepsResult,
      ...retry,
      ...limitOptions,
      ...(parent === null ? {} : { parent: { id: parent.input.id, attempt: parent.input.attempt } }),
    };
    const handle = client.submit(TASK_NAME, input, options) as TaskHandle<number>;
    const value = dependsOn.reduce((sum, each) => sum + each.value, add);
    const entry = account.open(handle, clientName, {
      value,
      mayThrow: failBelow > (retry.retry?.maximumAttempts ?? 1),
      dependsOn,
      isDoomed,
      limits,
      keepsResult,
      parent: parent === null ? null : (account.entries.get(parent.input.id) ?? null),
    });
    this.recent.push(entry);
    if (this.recent.length > RECENT_MAX) this.recent.shift();
    if (!dice.chance(plan.policies.cancels)) return;
    // One that is new, or one that may run by now, or is over.
    if (dice.chance(0.5)) this.cancel(handle, entry);
    else {
      const other = dice.pick(this.recent);
      this.cancel(client.handle<number>(other.id), other);
    }
  }

  private cancel(handle: TaskHandle<number>, entry: Entry): void {
    const withDependents = this.dice.chance(this.plan.policies.dependents);
    const options: CancelOptions = withDependents ? { dependents: "cancel" } : {};
    entry.isCancelled = true;
    entry.takesDependents ||= withDependents;
    handle.cancel("the simulation says so", options).catch(() => undefined);
  }

  /** Attempts below `failBelow` throw: some tasks have enough tries to get over that, and some have not. */
  private tries(): { readonly retry: Pick<SubmitOptions, "retry">; readonly failBelow: number } {
    const { dice, plan } = this;
    if (!dice.chance(plan.policies.retries)) return { retry: {}, failBelow: dice.chance(0.05) ? 100 : 1 };
    const retry = {
      maximumAttempts: 1 + dice.below(4),
      initialInterval: dice.below(dice.chance(0.2) ? 5_000 : 200),
      strategy: dice.pick(["fixed", "linear", "exponential"] as const),
    };
    return { retry: { retry }, failBelow: 1 + dice.below(5) };
  }

  private limits(): { readonly limits: readonly Limit[]; readonly limitOptions: SubmitOptions } {
    const { dice, plan } = this;
    if (!dice.chance(plan.policies.limits)) return { limits: [], limitOptions: {} };
    const ms = Math.ceil(dice.next() * dice.pick([300, 3_000, 30_000]));
    switch (dice.below(4)) {
      case 0:
        return { limits: ["run"], limitOptions: { timeout: ms } };
      case 1:
        return { limits: ["queue"], limitOptions: { queueTimeout: ms } };
      case 2:
        return { limits: ["deadline"], limitOptions: { deadline: `${ms}ms` } };
      default:
        return {
          limits: ["run", "dependency"],
          limitOptions: { timeout: ms, dependencyTimeout: ms },
        };
    }
  }

  private parent(): SimRun | null {
    const { dice, plan } = this;
    const running = dice.chance(plan.policies.children) ? this.running() : [];
    return running.length === 0 ? null : dice.pick(running);
  }

  private dependencies(): Entry[] {
    const { dice, recent } = this;
    if (recent.length === 0 || dice.chance(0.5)) return [];
    const count = 1 + dice.below(DEPENDENCIES_MAX);
    return [...new Set(Array.from({ length: count }, () => dice.pick(recent)))];
  }
}
