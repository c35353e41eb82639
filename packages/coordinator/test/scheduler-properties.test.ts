/** Ledger and scheduler with workers that get some messages, lose others, and die: nothing is stuck, nothing is overbooked. */
import type { Presence, Sender, TaskId } from "@weft/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Effect } from "../src/core/ledger/effect.ts";
import { Scheduler } from "../src/core/scheduler/index.ts";
import { checkScheduler } from "../src/core/scheduler/invariants.ts";
import { presenceOf } from "./presence.ts";
import { submission, TestLog } from "./test-log.ts";

/** What a worker does of itself, as simple as can be. */
class FakeWorker {
  readonly id: Sender;
  readonly credits: number;
  readonly held = new Map<TaskId, number>();
  seen = 0;
  sent = 0;
  appendedSeq = 0;

  constructor(id: number, credits: number) {
    this.id = `worker.w${id}` as Sender;
    this.credits = credits;
  }

  presence(): Presence {
    const held = [...this.held].map(([id, attempt]) => ({ id, attempt }));
    const { credits, seen, appendedSeq } = this;
    return presenceOf({ credits, held, seen, appendedSeq });
  }
}

class World {
  readonly log = new TestLog();
  readonly scheduler = new Scheduler((id) => this.log.ledger.live.get(id));
  readonly workers: FakeWorker[] = [];
  private submitted = 0;

  constructor() {
    this.log.elect();
  }

  act(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === "released") this.scheduler.ready(effect.task);
      if (effect.type === "settled") this.scheduler.over(effect.live);
      if (effect.type === "attempt_opened") {
        this.scheduler.over(effect.task);
        this.scheduler.ready(effect.task);
      }
    }
    this.check();
  }

  submit(dependsOn: readonly number[]): void {
    const id = this.submitted++;
    this.act(
      this.log.submit([
        submission(
          id,
          dependsOn.filter((each) => each < id),
        ),
      ]),
    );
  }

  /** Each placement goes in a message of its own, which may be lost. */
  dispatch(isLost: () => boolean): void {
    for (const out of this.scheduler.place()) {
      const { task, worker } = out;
      const to = this.workers.find(({ id }) => id === worker.id);
      if (to === undefined) throw new Error(`placed at ${worker.id}, which is gone`);
      out.message = ++to.sent;
      if (isLost()) continue;
      to.held.set(task.id, task.attempt);
      to.seen = to.sent;
    }
    this.check();
  }

  hear(worker: FakeWorker): void {
    const { stray } = this.scheduler.seen(worker.id, worker.presence(), 0);
    for (const { id } of stray) worker.held.delete(id);
    for (const task of this.scheduler.takeMissing(worker.id, 1, this.log.ledger.seq))
      this.scheduler.ready(task);
    this.check();
  }

  finish(worker: FakeWorker, outcome: "succeeded" | "returned"): void {
    const [first] = worker.held;
    if (first === undefined) return;
    const [id, attempt] = first;
    worker.held.delete(id);
    worker.appendedSeq = this.log.ledger.seq + 1;
    this.act(this.log.finish([{ id, attempt, outcome }]));
  }

  die(worker: FakeWorker): void {
    this.workers.splice(this.workers.indexOf(worker), 1);
    for (const { task, attempt } of this.scheduler.gone(worker.id)) {
      // As many workers as there are may die here: no task is given up for it.
      const lost = { id: task.id, attempt, started: false, lostWorker: null };
      this.act(this.log.control({ type: "lost", attempts: [lost] }));
    }
  }

  private check(): void {
    expect(checkScheduler(this.scheduler, this.log.ledger)).toEqual([]);
  }
}

type Step = (world: World, isLost: () => boolean) => void;
const anyWorker = (act: (world: World, worker: FakeWorker) => void): fc.Arbitrary<Step> =>
  fc.nat().map(
    (which): Step =>
      (world) => {
        const worker = world.workers[which % Math.max(1, world.workers.length)];
        if (worker !== undefined) act(world, worker);
      },
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.nat({ max: 30 }), { maxLength: 3 }).map(
      (on): Step =>
        (world) =>
          world.submit(on),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 4 }).map(
      (credits): Step =>
        (world) => {
          const worker = new FakeWorker(world.log.ledger.seq * 100 + world.workers.length, credits);
          world.workers.push(worker);
          world.hear(worker);
        },
    ),
  },
  { weight: 4, arbitrary: fc.constant<Step>((world, isLost) => world.dispatch(isLost)) },
  { weight: 3, arbitrary: anyWorker((world, worker) => world.hear(worker)) },
  { weight: 4, arbitrary: anyWorker((world, worker) => world.finish(worker, "succeeded")) },
  { weight: 1, arbitrary: anyWorker((world, worker) => world.finish(worker, "returned")) },
  { weight: 1, arbitrary: anyWorker((world, worker) => world.die(worker)) },
);

test("no worker is overbooked at any time, and everything is run once messages get through (I5, S1, S2, S3)", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.infiniteStream(fc.boolean()), (steps, losses) => {
      const world = new World();
      for (const each of steps) each(world, () => losses.next().value === true);
      const healer = new FakeWorker(999_999_999, 4);
      world.workers.push(healer);
      for (let left = 300; left > 0 && world.log.ledger.live.size > 0; left--) {
        for (const worker of world.workers) {
          // The leader says its last number each second, so that a lost message is noticed.
          worker.seen = ++worker.sent;
          world.hear(worker);
        }
        world.dispatch(() => false);
        for (const worker of world.workers) world.finish(worker, "succeeded");
      }
      expect(world.log.ledger.live.size).toBe(0);
      expect([...world.log.ledger.settled.values()].every(({ outcome }) => outcome === "succeeded")).toBe(
        true,
      );
    }),
    { numRuns: 400 },
  );
});
