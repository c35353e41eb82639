/** When a worker is taken for gone, silent or blocked, and when not: by clocks of the test's own. */
import {
  decodeProbeAnswer,
  encodePresence,
  encodeProbeAnswer,
  Namespace,
  type Presence,
  type Sender,
  Subjects,
  TaskName,
} from "@weft/protocol";
import { AwakeTime, Pace } from "@weft/transport";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import type { SimProcess } from "../../testing/src/simulation/index.ts";
import { WorkerWatch } from "../src/shell/worker-watch.ts";
import { countingClock } from "./counting-clock.ts";
import { presenceOf } from "./presence.ts";

const subjects = new Subjects(Namespace.parse("default"));
const worker = "worker.w1" as Sender;

function presence(more: Partial<Presence> = {}): Uint8Array {
  return encodePresence(presenceOf({ slots: 2, credits: 4, names: [TaskName.parse("echo")], ...more }));
}

class Bench {
  readonly bus = new FakeBus();
  readonly leader: SimProcess = this.bus.process("leader");
  readonly told: string[] = [];
  /** Whether the leader's own connection works. */
  hears = true;
  presences = 0;
  /** Whether anything lives in the ledger. */
  isBusy = true;
  /** How often a timer of the watch, or of the time awake, has fired. */
  wakeUps = 0;
  readonly watch: WorkerWatch;

  constructor() {
    const clock = countingClock(this.leader.clock, () => this.wakeUps++);
    const connection = { ...this.bus.connection("coordinator", this.leader), clock };
    const pace = new Pace({ clock, isBusy: () => this.isBusy });
    const awake = new AwakeTime({ clock, pace, hears: () => this.hears });
    const at = (): string => `${(this.bus.loop.nowMs / 1_000).toFixed(2)} s`;
    this.watch = new WorkerWatch({
      connection,
      subjects,
      awake,
      pace,
      onPresence: () => void this.presences++,
      onOverdue: () => void this.told.push("overdue"),
      onBlocked: (_, { blockedMs, begun }) =>
        void this.told.push(`blocked ${blockedMs} ${begun?.length ?? "?"}`),
      onLost: (id, why) => void this.told.push(`${id} ${why} at ${at()}`),
      onVoid: (kind) => void this.told.push(`void ${kind}`),
    });
  }

  say(more: Partial<Presence> = {}, from: Sender = worker): void {
    this.bus.deliver(subjects.presence(from), presence(more));
  }

  /** The worker's process, which can be asked whether it is there. */
  answersProbes(blockedMs: () => number | null): { readonly unsubscribe: () => void } {
    const { nats } = this.bus.connection("worker", this.bus.process("w1"));
    return nats.subscribe(subjects.probe(worker), {
      callback: (_, message) => {
        const blocked = blockedMs();
        if (blocked !== null) message.respond(encodeProbeAnswer({ blockedMs: blocked, begun: [] }));
      },
    });
  }

  /** Lets time pass, with a presence each second while the worker speaks. */
  async pass(ms: number, speaks = false): Promise<void> {
    const { loop } = this.bus;
    const untilMs = loop.nowMs + ms;
    while (loop.nowMs < untilMs) {
      if (speaks) this.say();
      await loop.play(Math.min(untilMs, loop.nowMs + 1_000));
    }
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
const losses = (): string[] => bench.told.filter((line) => line.startsWith(worker));

describe("a worker", () => {
  test("that nobody answers for is gone within 1.8 s of its last word, whenever it was killed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5_000 }), fc.boolean(), async (aliveMs, isBusy) => {
        bench = new Bench();
        bench.isBusy = isBusy;
        const answering = bench.answersProbes(() => 0);
        await bench.pass(aliveMs, true);
        const saidAtMs = bench.bus.loop.nowMs - (aliveMs % 1_000 || 1_000);
        answering.unsubscribe();
        await bench.pass(4_000);
        expect(losses()).toHaveLength(1);
        const [, atS = ""] = /gone at ([\d.]+) s/.exec(losses()[0] ?? "") ?? [];
        expect(1_000 * Number(atS) - saidAtMs).toBeLessThanOrEqual(1_800);
      }),
      { numRuns: 25 },
    );
  });

  test("that says goodbye is gone at once", () => {
    bench.say();
    bench.say({ state: "left" });
    // Too soon behind the one before: it is taken a moment later.
    return bench.pass(100).then(() => expect(losses()).toEqual([`${worker} left at 0.02 s`]));
  });

  test("that is silent is given its lease, and no more work after 2 s", async () => {
    bench.say();
    bench.answersProbes(() => null);
    await bench.pass(9_900);
    expect(bench.told).toEqual(["overdue"]);
    await bench.pass(200);
    expect(losses()).toEqual([`${worker} silent at 10.00 s`]);
  });

  test("whose other connection comes back within half a second is not lost", async () => {
    bench.say();
    await bench.pass(1_550);
    bench.answersProbes(() => 0);
    await bench.pass(5_000);
    expect(losses()).toEqual([]);
  });

  test("that is blocked is told twice: when it is known, and when it has been so for 5 s; and is never lost", async () => {
    bench.say();
    bench.answersProbes(() => Math.floor(bench.bus.loop.nowMs));
    await bench.pass(60_000);
    expect(bench.told.filter((line) => line !== "overdue").map((line) => line.split(" ")[0])).toEqual([
      "blocked",
      "blocked",
    ]);
    const [first = 0, second = 0] = bench.told
      .filter((line) => line.startsWith("blocked"))
      .map((line) => Number(line.split(" ")[1]));
    expect(first).toBeLessThan(1_500);
    expect(second).toBeGreaterThanOrEqual(5_000);
    expect(second).toBeLessThan(5_300);
    expect(bench.watch.isBlocked(worker)).toBe(true);
    bench.say();
    expect(bench.watch.isBlocked(worker)).toBe(false);
  });
});

describe("a leader", () => {
  test.each([
    ["twice", "something lives", true, 3],
    ["once", "nothing does", false, 1],
  ])(
    "is woken by its watch %s a second and no more while %s and each worker speaks shortly before that",
    async (_, __, isBusy, most) => {
      bench.isBusy = isBusy;
      await bench.pass(1_960);
      const before = bench.wakeUps;
      await bench.pass(20_000, true);
      // In between by a timer, where the second comes it has no more to do.
      expect(bench.wakeUps - before).toBeLessThanOrEqual(20 * most);
    },
  );

  test("that was paused for longer than the lease holds nothing against anybody", async () => {
    bench.answersProbes(() => null);
    await bench.pass(3_000, true);
    bench.leader.freeze(20_000);
    await bench.pass(20_050);
    await bench.pass(3_000, true);
    expect(losses()).toEqual([]);
  });

  test("that was paused before it read that nobody is there holds the pause against no worker", async () => {
    bench.bus.nobodyMs = 40;
    bench.say();
    // Asked at 1.1 s for the first time, and again a little later: the second answer waits while this process is paused.
    await bench.pass(1_270);
    bench.leader.freeze(20_000);
    bench.answersProbes(() => 0);
    await bench.pass(20_500);
    expect(losses()).toEqual([]);
  });

  test("whose own connection does not work counts no silence, and gives 5 s after it works again", async () => {
    bench.say();
    bench.answersProbes(() => null);
    await bench.pass(8_000);
    bench.hears = false;
    await bench.pass(60_000);
    bench.hears = true;
    bench.watch.reconnected();
    await bench.pass(4_900);
    expect(losses()).toEqual([]);
    await bench.pass(200);
    expect(losses()).toHaveLength(1);
  });

  test("is told of a block again when it is new", async () => {
    bench.say();
    bench.answersProbes(() => 6_000);
    await bench.pass(3_000);
    bench.watch.tellAgain();
    await bench.pass(1_000);
    expect(bench.told.filter((line) => line.startsWith("blocked"))).toHaveLength(2);
  });

  test("decodes a message each 20 ms at most of a worker that floods it, the newest of them", async () => {
    let running = 0;
    for (let i = 0; i < 100; i++) {
      for (let k = 0; k < 100; k++) bench.say({ running: ++running });
      await bench.pass(10);
    }
    await bench.pass(100);
    expect(bench.presences).toBeLessThanOrEqual(75);
    expect([...bench.watch.known()].map(([, said]) => said.running)).toEqual([running]);
  });

  test("keeps no more workers than it can", () => {
    for (let i = 0; i < 20_005; i++) bench.say({}, `worker.x${i}` as Sender);
    expect([...bench.watch.known()]).toHaveLength(20_000);
    expect(bench.told).toContain("void presence of more than 20000 workers");
  });
});

test("an answer to a probe that does not tell what has begun says so", () => {
  expect(decodeProbeAnswer(encodeProbeAnswer({ blockedMs: 1, begun: null }))).toEqual({
    ok: true,
    value: { blockedMs: 1, begun: null },
  });
});
