/** A connection whose server falls silent without a word. */

import type { Identity, InstanceId } from "@weft/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { type NatsServer, startNatsServer, waitUntil } from "../../testing/src/index.ts";
import { Dice } from "../../testing/src/simulation/dice.ts";
import { SimLoop, SimProcess } from "../../testing/src/simulation/index.ts";
import { type Clock, openConnection, systemClock } from "../src/index.ts";
import { keepAlive } from "../src/keep-alive.ts";

/** A connection of the test's own, on simulated time. */
class Bench {
  readonly loop = new SimLoop();
  readonly process: SimProcess = new SimProcess("p1", this.loop, new Dice(1));
  /** How long an answer takes; null where none comes. */
  answersMs: number | null = 1;
  isConnected = true;
  readonly asked: number[] = [];
  readonly madeAnew: number[] = [];
  readonly closed: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor() {
    const { clock } = this.process;
    const nats = {
      rtt: async () => {
        if (!this.isConnected) throw new Error("disconnected");
        this.asked.push(this.loop.nowMs);
        const { answersMs } = this;
        return new Promise<number>((answered) => {
          if (answersMs !== null) clock.after(answersMs, () => answered(answersMs));
        });
      },
      reconnect: async () => void this.madeAnew.push(this.loop.nowMs),
      closed: () => this.closed.promise,
    };
    keepAlive(nats, clock);
  }

  async play(ms: number): Promise<void> {
    await this.loop.play(this.loop.nowMs + ms);
  }
}

describe("a connection", () => {
  test("is asked each five seconds, and kept while it answers, however late", async () => {
    const bench = new Bench();
    await bench.play(60_100);
    bench.answersMs = 9_900;
    await bench.play(60_000);
    expect(bench.asked).toHaveLength(24);
    expect(bench.madeAnew).toEqual([]);
  });

  test("that does not answer is made anew after 10 to 15 s, and is given as long again", async () => {
    for (const atMs of [60_000, 62_500, 64_999]) {
      const bench = new Bench();
      await bench.play(atMs);
      bench.answersMs = null;
      await bench.play(40_000);
      const [first = 0, second = 0] = bench.madeAnew;
      expect(first - atMs).toBeGreaterThanOrEqual(10_000);
      expect(first - atMs).toBeLessThanOrEqual(15_001);
      expect(second - first).toBe(15_000);
    }
  });

  test("that is lost and being made is left alone", async () => {
    const bench = new Bench();
    bench.isConnected = false;
    await bench.play(120_000);
    expect(bench.madeAnew).toEqual([]);
  });

  test("of a process that was paused, and so read no answer, is kept", async () => {
    const bench = new Bench();
    await bench.play(14_999);
    bench.answersMs = 5;
    await bench.play(2);
    bench.process.freeze(60_000);
    await bench.play(200_000);
    expect(bench.madeAnew).toEqual([]);
  });

  test("that is closed is asked no more", async () => {
    const bench = new Bench();
    await bench.play(10_100);
    bench.closed.resolve();
    await bench.play(60_000);
    expect(bench.asked).toHaveLength(2);
  });
});

describe("to a real server", () => {
  let server: NatsServer | null = null;
  afterEach(() => server?.stop());

  test("that stands still it is lost, and made anew when the server goes on", async () => {
    server = await startNatsServer();
    // Fifty times as fast.
    const clock: Clock = { ...systemClock, every: (ms, act, more) => systemClock.every(ms / 50, act, more) };
    const { nats } = await openConnection(
      "me" as Identity,
      "i1" as InstanceId,
      { servers: server.url },
      clock,
    );
    try {
      const seen: string[] = [];
      const watching = (async () => {
        for await (const status of nats.status()) seen.push(status.type);
      })();
      let answers = 0;
      const echo = nats.subscribe("echo", { callback: () => void answers++ });
      await waitUntil(() => {
        nats.publish("echo");
        return answers > 0;
      });
      expect(seen).toEqual([]);
      server.kill("SIGSTOP");
      await waitUntil(() => seen.includes("disconnect"));
      server.kill("SIGCONT");
      await waitUntil(() => seen.includes("reconnect"));
      answers = 0;
      await waitUntil(() => {
        nats.publish("echo");
        return answers > 0;
      });
      echo.unsubscribe();
      await nats.close();
      await watching;
    } finally {
      await nats.close();
    }
  });
});
