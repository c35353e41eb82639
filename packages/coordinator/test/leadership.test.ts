/** Who stands when, and what a leader writes. */
import type { Carried, TaskId } from "@weft/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_SETTINGS } from "../src/core/ledger/index.ts";
import { Bench, lossOf } from "./leadership-bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe("a standby", () => {
  test("stands at once where nobody leads, and within 25 ms of a leader's resignation", async () => {
    bench.otherLeads();
    bench.leadership.start();
    await bench.play(500);
    expect(bench.elections()).toEqual([]);
    bench.fold({ type: "resigned" });
    await bench.play(25);
    expect(bench.elections()).toHaveLength(1);
    await bench.play(10);
    expect(bench.told).toEqual(["elected 3"]);
  });

  test("stands after 2 s of silence, and not while the leader ticks", async () => {
    bench.otherLeads();
    bench.leadership.start();
    for (let i = 0; i < 20; i++) {
      bench.fold({ type: "tick", mark: null });
      await bench.play(500);
    }
    expect(bench.elections()).toEqual([]);
    const lastTickMs = bench.loop.nowMs - 500;
    await bench.play(3_000);
    const [stoodMs = 0] = bench.elections();
    expect(stoodMs - lastTickMs).toBeGreaterThan(2_000);
    expect(stoodMs - lastTickMs).toBeLessThanOrEqual(2_250);
  });

  test("is not woken by its watch while the leader ticks", async () => {
    bench.otherLeads();
    bench.leadership.start();
    const before = bench.wakeUps();
    for (let i = 0; i < 20; i++) {
      bench.fold({ type: "tick", mark: null });
      await bench.play(500);
    }
    // Where it looks whether that is late: a timer that is set anew each time, and does not fire.
    expect(bench.wakeUps() - before).toBeLessThanOrEqual(10 * 2 + 1);
  });

  test("stands as soon as the leader's process is found to be gone, which it asks when a tick stays out", async () => {
    bench.otherLeads();
    bench.leadership.start();
    bench.leaderHeard = true;
    for (let i = 0; i < 10; i++) {
      bench.fold({ type: "tick", mark: null });
      await bench.play(520);
    }
    expect(bench.probes).toBe(0);
    await bench.play(700);
    expect(bench.probes).toBeGreaterThan(5);
    expect(bench.elections()).toEqual([]);
    bench.leaderGone = true;
    await bench.play(60);
    expect(bench.elections()).toHaveLength(1);
  });

  test("asks for it as soon while others write to the log", async () => {
    bench.otherLeads();
    bench.leadership.start();
    const lastTickMs = bench.loop.nowMs;
    for (let i = 0; i < 5; i++) {
      await bench.play(100);
      bench.foldOther();
    }
    expect(bench.probes).toBe(0);
    while (bench.probes === 0) await bench.play(1);
    expect(bench.loop.nowMs - lastTickMs).toBeLessThanOrEqual(602);
  });

  test("whose attempt fails waits 2 s anew", async () => {
    bench.takes = false;
    bench.otherLeads();
    bench.leadership.start();
    await bench.play(10_000);
    const gaps = bench.elections().map((atMs, i, all) => atMs - (all[i - 1] ?? 0));
    expect(gaps.length).toBeGreaterThanOrEqual(4);
    for (const gap of gaps) expect(gap).toBeGreaterThan(2_000);
  });

  test("waits while the leader is still heard of, for 15 s", async () => {
    bench.otherLeads();
    bench.leadership.start();
    bench.leaderHeard = true;
    await bench.play(14_900);
    expect(bench.elections()).toEqual([]);
    await bench.play(400);
    expect(bench.elections()).toHaveLength(1);
  });

  test("that was paused or cut off has heard no silence", async () => {
    bench.otherLeads();
    bench.leadership.start();
    await bench.play(1_000);
    bench.process.freeze(30_000);
    await bench.play(30_100);
    bench.connected = false;
    await bench.play(30_000);
    expect(bench.elections()).toEqual([]);
  });

  test("leads by an election that it took for lost", async () => {
    bench.otherLeads();
    bench.leadership.start();
    bench.takes = false;
    await bench.play(2_400);
    const [late] = bench.appends;
    if (late === undefined) throw new Error("it did not stand");
    bench.fold(late.event);
    expect(bench.told).toEqual(["elected 2"]);
  });
});

describe("a leader", () => {
  beforeEach(async () => {
    bench.leadership.start();
    await bench.play(100);
    expect(bench.told).toEqual(["elected 1"]);
  });

  test("that cannot append keeps trying each 100 ms, one record at a time, and goes on leading", async () => {
    bench.takes = false;
    await bench.play(12_000);
    expect(bench.leadership.leading).toBe(true);
    expect(bench.appends.length).toBeGreaterThan(90);
    expect(bench.inFlightMax).toBe(1);
  });

  test("tells each loss once, however often its append failed", async () => {
    bench.takes = false;
    for (let i = 0; i < 10; i++) {
      bench.leadership.reportLost([lossOf(`t${i}`)]);
      await bench.play(70);
    }
    bench.takes = true;
    const before = bench.seq;
    await bench.play(1_000);
    expect(bench.seq).toBeGreaterThan(before);
    const stored = bench.appends
      .slice(-(bench.seq - before))
      .flatMap(({ event }) => (event.type === "lost" ? event.attempts.map(({ id }) => id as string) : []));
    expect(stored).toEqual(Array.from({ length: 10 }, (_, i) => `t${i}`));
  });

  test("ticks when something in the ledger is due, and otherwise each half second", async () => {
    const ticks = (): number => bench.appends.filter(({ event }) => event.type === "tick").length;
    const first = ticks();
    while (ticks() === first) await bench.play(10);
    await bench.play(10);
    const before = ticks();
    bench.dueMs = bench.clock.nowMs + 120;
    bench.leadership.advanced();
    await bench.play(100);
    expect(ticks()).toBe(before);
    await bench.play(110);
    expect(ticks()).toBe(before + 1);
    bench.dueMs = null;
    const after = ticks();
    await bench.play(2_000);
    expect(ticks() - after).toBe(4);
  });

  test("is woken for its ticks alone where nothing is due, and writes one tick for all that is due within 50 ms", async () => {
    await bench.play(1_000);
    const before = bench.wakeUps();
    await bench.play(10_000);
    // In one call with the steps of the time awake.
    expect(bench.wakeUps() - before).toBeLessThanOrEqual(10 * 3 + 1);
    const ticks = (): number => bench.appends.filter(({ event }) => event.type === "tick").length;
    const first = ticks();
    for (let i = 0; i < 100; i++) {
      bench.dueMs = bench.clock.nowMs + 1;
      bench.leadership.advanced();
      await bench.play(10);
    }
    expect(ticks() - first).toBeLessThanOrEqual(1_000 / 50 + 1);
    expect(ticks() - first).toBeGreaterThan(1_000 / 50 / 2);
  });

  test("reports losses first, then what had its time, each in records of one at a time", async () => {
    bench.leadership.reportExpired([{ id: "t1" as TaskId, attempt: 1, limit: "run" }]);
    bench.leadership.reportLost([lossOf("t2")]);
    bench.leadership.reportExpired([{ id: "t3" as TaskId, attempt: 2, limit: "queue" }]);
    await bench.play(300);
    const told = bench.appends
      .slice(1)
      .map(({ event }) => ("attempts" in event ? `${event.type} ${event.attempts.map(({ id }) => id)}` : ""));
    expect(told.filter((each) => each !== "")).toEqual(["expired t1", "lost t2", "expired t3"]);
    expect(bench.inFlightMax).toBe(1);
  });

  test("that is deposed forgets its losses, also when it is elected again", async () => {
    bench.takes = false;
    bench.leadership.reportLost([lossOf("t1"), lossOf("t2")]);
    await bench.play(50);
    bench.otherLeads();
    bench.takes = true;
    await bench.play(3_000);
    expect(bench.told.at(-1)).toMatch(/^elected/);
    const { epoch } = bench.ledger;
    await bench.play(2_000);
    expect(bench.appends.filter((each) => each.epoch === epoch && each.event.type === "lost")).toEqual([]);
    expect(bench.appends.filter((each) => each.epoch === epoch).length).toBeGreaterThan(2);
  });

  test("whose second election is folded begins a new term", () => {
    const [first] = bench.appends;
    if (first === undefined) throw new Error("it did not stand");
    bench.fold(first.event);
    expect(bench.told).toEqual(["elected 1", "deposed", "elected 2"]);
  });

  test("writes newer rules once, when everybody knows them", async () => {
    await bench.play(2_000);
    bench.known = 3;
    await bench.play(2_000);
    const versions = bench.appends.filter(({ event }) => event.type === "fold_version");
    expect(versions.map(({ event }) => event)).toEqual([{ type: "fold_version", version: 3 }]);
  });

  test("the leader tells what it was started with where the log has it otherwise, once", async () => {
    bench.ledger.settings = { ...DEFAULT_SETTINGS, retentionMs: 3_600_000 };
    await bench.play(3_000);
    const told = bench.appends.filter(({ event }) => event.type === "settings");
    expect(told.map(({ event }) => event)).toEqual([{ type: "settings", settings: DEFAULT_SETTINGS }]);
  });

  test("and tells it again when it has changed, as with the log's limit", async () => {
    await bench.play(1_000);
    bench.settings = { ...DEFAULT_SETTINGS, logBytesMax: 1_000 };
    await bench.play(1_000);
    const told = bench.appends.filter(({ event }) => event.type === "settings");
    expect(told.map(({ event }) => event)).toEqual([{ type: "settings", settings: bench.settings }]);
  });

  test("carries values in records of their own, behind what else there is to report, and says when they are folded", async () => {
    const carried = (seq: number): Carried[] => [
      { part: "result", id: `t${seq}` as TaskId, seq, index: 0, value: null },
    ];
    const done: number[] = [];
    for (const seq of [1, 2]) void bench.leadership.carry(carried(seq)).then(() => done.push(bench.seq));
    bench.leadership.reportLost([lossOf("t9")]);
    await bench.play(100);
    const events = bench.appends.slice(1).map(({ event }) => event);
    expect(events.filter(({ type }) => type !== "tick")).toEqual([
      { type: "carry", carried: carried(1) },
      { type: "lost", attempts: [lossOf("t9")] },
      { type: "carry", carried: carried(2) },
    ]);
    expect(done).toHaveLength(2);
    expect(done[0]).toBeLessThan(done[1] ?? 0);
    expect(bench.inFlightMax).toBe(1);
  });

  test("that is deposed carries nothing more", async () => {
    bench.takes = false;
    let isOver = false;
    const over = bench.leadership.carry([]).then(() => bench.leadership.carry([]));
    over.then(
      () => {
        isOver = true;
      },
      () => undefined,
    );
    await bench.play(50);
    bench.otherLeads();
    await bench.play(1_000);
    expect(bench.appends.filter(({ event }) => event.type === "carry").length).toBeLessThan(3);
    expect(isOver).toBe(true);
  });

  test("that is stopping leads until the log has its resignation, and no longer", async () => {
    const resigned = bench.leadership.resign();
    expect(bench.told).toEqual(["elected 1"]);
    await bench.play(50);
    await resigned;
    expect(bench.told).toEqual(["elected 1", "deposed"]);
    bench.otherLeads();
    expect(bench.told).toEqual(["elected 1", "deposed"]);
  });

  test("that is stopping and whose resignation is lost is deposed by the next one", () => {
    bench.leadership.stop();
    expect(bench.told).toEqual(["elected 1"]);
    bench.otherLeads();
    expect(bench.told).toEqual(["elected 1", "deposed"]);
  });

  test("resigns behind what is on its way", async () => {
    bench.leadership.reportLost([lossOf("t1")]);
    const resigned = bench.leadership.resign();
    await bench.play(50);
    await resigned;
    expect(bench.appends.slice(-2).map(({ event }) => event.type)).toEqual(["lost", "resigned"]);
    expect(bench.inFlightMax).toBe(1);
    expect(bench.ledger.leader).toBe(null);
  });
});

test("one that stops while it stands leaves no leader that is not there", async () => {
  bench.leadership.start();
  while (bench.appends.length === 0) await bench.play(1);
  const resigned = bench.leadership.resign();
  await bench.play(100);
  await resigned;
  expect(bench.ledger.leader).toBe(null);
  expect(bench.told).toEqual([]);
});
