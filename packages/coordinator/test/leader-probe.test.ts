/** When a leader is taken for gone, and when not: on simulated time. */
import { Namespace, type Sender, Subjects } from "@weft/protocol";
import { AwakeTime, type Clock, Pace } from "@weft/transport";
import { beforeEach, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import type { SimProcess } from "../../testing/src/simulation/index.ts";
import { LeaderProbe } from "../src/shell/leader-probe.ts";

const subjects = new Subjects(Namespace.parse("default"));
const EPOCH = 7;

const paceOf = (clock: Clock): Pace => new Pace({ clock, isBusy: () => true });

class Bench {
  readonly bus = new FakeBus();
  /** By what was heard; null where nobody was. */
  leader: Sender | null = "coordinator.leads" as Sender;
  hears = true;
  readonly process: SimProcess = this.bus.process("stands");
  private readonly standby: LeaderProbe;

  constructor() {
    const { process } = this;
    const { clock } = process;
    this.standby = new LeaderProbe({
      connection: this.bus.connection("coordinator", process),
      subjects,
      awake: new AwakeTime({ clock, pace: paceOf(clock), hears: () => this.hears }),
      leaderOf: (epoch) => (epoch === EPOCH ? this.leader : null),
    });
  }

  leads(): LeaderProbe {
    const process = this.bus.process("leads");
    const { clock } = process;
    return new LeaderProbe({
      connection: this.bus.connection("coordinator", process),
      subjects,
      awake: new AwakeTime({ clock, pace: paceOf(clock), hears: () => true }),
      leaderOf: () => null,
    });
  }

  /** Asks each 50 ms; resolves with when it was first taken for gone. */
  async watch(forMs: number): Promise<number | null> {
    const { loop } = this.bus;
    const beganMs = loop.nowMs;
    while (loop.nowMs < beganMs + forMs) {
      if (this.standby.isGone(EPOCH)) return loop.nowMs - beganMs;
      await loop.play(loop.nowMs + 50);
    }
    return null;
  }

  heard(): void {
    this.standby.heard();
  }

  reconnected(): void {
    this.standby.reconnected();
  }
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

test("a leader that nobody answers for is gone after 0.4 to 0.6 s", async () => {
  const goneMs = await bench.watch(2_000);
  expect(goneMs).toBeGreaterThanOrEqual(400);
  expect(goneMs).toBeLessThanOrEqual(600);
});

test("a leader that answers is not gone, and is asked five times a second at most", async () => {
  bench.leads();
  let asked = 0;
  bench.bus.isLost = (subject) => {
    if (subject === "weft.v1.default.probe.coordinator.leads") asked++;
    return false;
  };
  expect(await bench.watch(10_000)).toBe(null);
  expect(asked).toBeGreaterThan(30);
  expect(asked).toBeLessThanOrEqual(51);
});

test("a leader whose connection is made again within 0.3 s is not gone", async () => {
  expect(await bench.watch(300)).toBe(null);
  const leader = bench.leads();
  expect(await bench.watch(2_000)).toBe(null);
  leader.close();
  expect(await bench.watch(350)).toBe(null);
});

test("a pause before it is read that nobody is there is held against no leader", async () => {
  bench.bus.nobodyMs = 60;
  expect(await bench.watch(250)).toBe(null);
  // It was asked for the second time 50 ms ago.
  bench.process.freeze(20_000);
  bench.leads();
  await bench.bus.loop.play(bench.bus.loop.nowMs + 20_000);
  expect(await bench.watch(2_000)).toBe(null);
});

test("a leader that is there and does not answer is not gone", async () => {
  const process = bench.bus.process("leads");
  bench.bus.connection("coordinator", process).nats.subscribe("weft.v1.default.probe.coordinator.leads", {
    callback: () => undefined,
  });
  expect(await bench.watch(10_000)).toBe(null);
});

test("a leader that was never heard of, or was heard of meanwhile, is not gone", async () => {
  bench.leader = null;
  expect(await bench.watch(2_000)).toBe(null);
  bench.leader = "coordinator.leads" as Sender;
  expect(await bench.watch(350)).toBe(null);
  bench.heard();
  expect(await bench.watch(350)).toBe(null);
});

test("nobody is gone for 5 s after a reconnect of one's own, nor while one hears nothing", async () => {
  bench.reconnected();
  expect(await bench.watch(4_900)).toBe(null);
  bench.hears = false;
  expect(await bench.watch(5_000)).toBe(null);
  bench.hears = true;
  expect(await bench.watch(1_000)).not.toBe(null);
});
