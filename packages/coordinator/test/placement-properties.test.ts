/** Where tasks are placed, with workers of all kinds that come, drain, block and go: what each placement must keep to. */
import { type Presence, type Sender, type TaskId, TaskName } from "@weft/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Effect } from "../src/core/ledger/effect.ts";
import type { LiveTask } from "../src/core/ledger/index.ts";
import { canRun, freeCredits, Scheduler } from "../src/core/scheduler/index.ts";
import { checkScheduler } from "../src/core/scheduler/invariants.ts";
import { before } from "../src/core/scheduler/task-heap.ts";
import { idOf, submission, TestLog } from "./test-log.ts";

type Traits = Pick<Presence, "credits" | "names" | "labels">;

class World {
  readonly log = new TestLog();
  readonly scheduler = new Scheduler((id) => this.log.ledger.live.get(id));
  /** Workers as they were made, and what was placed at each and is not over. */
  readonly workers = new Map<Sender, { readonly traits: Traits; readonly out: Set<TaskId> }>();
  private count = 0;

  constructor() {
    this.log.elect();
  }

  submit(priority: number, labels: readonly string[]): void {
    this.act(this.log.submit([submission(this.count++, [], { priority, labels })]));
  }

  join(traits: Traits): void {
    const id = `worker.w${this.count++}` as Sender;
    this.workers.set(id, { traits, out: new Set() });
    this.hear(id, "ready");
  }

  hear(id: Sender, state: Presence["state"]): void {
    const worker = this.workers.get(id);
    if (worker === undefined) return;
    const held = [...worker.out].map((task) => ({
      id: task,
      attempt: this.log.ledger.live.get(task)?.attempt ?? 0,
    }));
    const place = {
      host: "here",
      pid: 1,
      startedAtMs: 0,
      slots: 1,
      running: 0,
      graceMs: 0,
      epoch: 1,
      seen: 0,
      appendedSeq: 0,
    };
    const { stray } = this.scheduler.seen(id, { ...worker.traits, ...place, state, held }, 0);
    expect(stray).toEqual([]);
  }

  finish(id: Sender, outcome: "succeeded" | "returned"): void {
    const [task] = this.workers.get(id)?.out ?? [];
    if (task !== undefined)
      this.act(this.log.finish([{ id: task, outcome, started: outcome === "succeeded" }]));
  }

  gone(id: Sender): void {
    const worker = this.workers.get(id);
    if (worker === undefined) return;
    this.workers.delete(id);
    const orphans = this.scheduler.gone(id);
    expect(new Set(orphans.map(({ task }) => task.id))).toEqual(worker.out);
    for (const { task, attempt } of orphans) {
      const lost = { id: task.id, attempt, started: false, lostWorker: null };
      this.act(this.log.control({ type: "lost", attempts: [lost] }));
    }
  }

  place(): void {
    const free = new Map([...this.scheduler.workers.values()].map((each) => [each.id, freeCredits(each)]));
    const placements = this.scheduler.place();
    const left = this.ready();
    for (const { task, worker } of placements) {
      const { id } = worker;
      expect(this.scheduler.workers.get(id)).toBe(worker);
      expect(canRun(worker, task.name, task.terms.labels)).toBe(true);
      expect([worker.presence.state, worker.isBlocked, task.state]).toEqual(["ready", false, "released"]);
      free.set(id, (free.get(id) ?? 0) - 1);
      // What the worker could have had instead comes after what it got: no other name or label is served first.
      for (const other of left)
        if (canRun(worker, other.name, other.terms.labels)) expect(before(task, other)).toBe(true);
      this.workers.get(id)?.out.add(task.id);
    }
    expect(Math.min(0, ...free.values())).toBe(0);
    expect(new Set(placements.map(({ task }) => task.id)).size).toBe(placements.length);
    this.nothingIsLeftLying(left);
  }

  /** No worker with room could run what is not placed. */
  private nothingIsLeftLying(left: readonly LiveTask[]): void {
    const idle = [...this.scheduler.workers.values()].filter((worker) => freeCredits(worker) > 0);
    for (const task of left)
      expect(
        idle.filter((worker) => canRun(worker, task.name, task.terms.labels)).map(({ id }) => id),
      ).toEqual([]);
  }

  private ready(): LiveTask[] {
    const { live } = this.log.ledger;
    return [...live].filter(({ id, state }) => state === "released" && this.scheduler.workerOf(id) === null);
  }

  private act(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type !== "released" && effect.type !== "attempt_opened" && effect.type !== "settled")
        continue;
      const { task } = effect;
      if (effect.type !== "released") {
        this.scheduler.over(effect.type === "settled" ? effect.live : effect.task);
        for (const { out } of this.workers.values()) out.delete(task.id);
      }
      if ("state" in task) this.scheduler.ready(task);
    }
  }

  cancel(number: number): void {
    this.act(this.log.cancel([number]));
  }

  check(): void {
    expect(checkScheduler(this.scheduler, this.log.ledger)).toEqual([]);
    for (const [id, { out }] of this.workers)
      expect(new Set([...(this.scheduler.workers.get(id)?.out ?? [])].map((each) => each.task.id))).toEqual(
        out,
      );
  }
}

type Step = (world: World) => void;
const labels = fc.subarray(["gpu", "big"]);
const names = fc.subarray(["t0", "t1", "t2"].map(TaskName.parse), { minLength: 1 });
const atWorker = (act: (world: World, id: Sender) => void): fc.Arbitrary<Step> =>
  fc.nat().map(
    (which): Step =>
      (world) => {
        const id = [...world.workers.keys()][which % Math.max(1, world.workers.size)];
        if (id !== undefined) act(world, id);
      },
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.integer({ min: -1, max: 1 }), labels).map(
      ([priority, wanted]): Step =>
        (world) =>
          world.submit(priority, wanted),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({ credits: fc.nat({ max: 4 }), names, labels }).map(
      (traits): Step =>
        (world) =>
          world.join(traits),
    ),
  },
  { weight: 5, arbitrary: fc.constant<Step>((world) => world.place()) },
  { weight: 4, arbitrary: atWorker((world, id) => world.finish(id, "succeeded")) },
  { weight: 1, arbitrary: atWorker((world, id) => world.finish(id, "returned")) },
  { weight: 1, arbitrary: atWorker((world, id) => world.hear(id, "draining")) },
  { weight: 1, arbitrary: atWorker((world, id) => world.hear(id, "ready")) },
  { weight: 1, arbitrary: atWorker((world, id) => world.scheduler.block(id)) },
  { weight: 1, arbitrary: atWorker((world, id) => world.gone(id)) },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 40 }).map(
      (number): Step =>
        (world) =>
          world.cancel(number),
    ),
  },
);

test("each placement is at a worker that can run it, in order, within its credits, and none is left out (I5, S1, S2)", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const world = new World();
      for (const each of steps) {
        each(world);
        world.check();
      }
      world.place();
      world.check();
    }),
    { numRuns: 500 },
  );
});

test("workers of one name alone share the tasks of that name evenly", () => {
  const world = new World();
  const traits = { credits: 10, names: ["t0", "t1", "t2"].map(TaskName.parse), labels: [] };
  for (let i = 0; i < 3; i++) world.join(traits);
  for (let i = 0; i < 12; i++) world.submit(0, []);
  world.place();
  expect([...world.workers.values()].map(({ out }) => out.size)).toEqual([4, 4, 4]);
  expect(world.scheduler.workerOf(idOf(3))).not.toBeNull();
});
