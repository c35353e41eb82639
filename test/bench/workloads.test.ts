/** Each workload runs and gives what it says: a few tasks, no measurement. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { cpu } from "../../bench/cpu/cpu.ts";
import { GRAPHS } from "../../bench/graphs/graph.ts";
import { graphs } from "../../bench/graphs/graphs.ts";
import { idle } from "../../bench/idle/idle.ts";
import { latency } from "../../bench/latency/latency.ts";
import { limit } from "../../bench/limit/limit.ts";
import { memory } from "../../bench/memory/memory.ts";
import { recovery } from "../../bench/recovery/recovery.ts";
import { replay } from "../../bench/replay/replay.ts";
import { RIVALS } from "../../bench/rivals/rivals.ts";
import { run } from "../../bench/run.ts";
import { soak } from "../../bench/soak/soak.ts";
import { scale } from "../../bench/throughput/scale.ts";
import { throughput } from "../../bench/throughput/throughput.ts";

// Where a rival's server is missing, it comes from Debian's packages.
const rivals = existsSync("/usr/bin/apt-get") ? RIVALS : [];
const options = { rivals, rounds: 1, count: 20, say: () => undefined, profileFolder: null };
/** Servers may have to be fetched. */
const TIMEOUT_MS = 120_000;

test(
  "throughput has tasks a second, times and the processor's, next to the limit and every rival",
  async () => {
    const report = await run(throughput, options);
    const { weft, limit, share, ratio, versions } = report;
    expect(Object.keys(weft)).toEqual(["single", "bulk_100", "single_10kb", "unsettled_1000"]);
    for (const shape of Object.keys(weft)) {
      expect(Object.keys(weft[shape] ?? {})).toEqual(
        expect.arrayContaining(["perSecond", "p50", "p99", "cpuUs"]),
      );
      expect(limit[shape]?.perSecond?.median).toBeGreaterThan(0);
      expect(share[shape]?.perSecond?.median).toBeGreaterThan(0);
      for (const rival of rivals) expect(ratio[rival]?.[shape]?.perSecond?.median).toBeGreaterThan(0);
    }
    expect(Object.keys(report.rivals)).toEqual(rivals);
    expect(Object.keys(versions)).toEqual(expect.arrayContaining([...rivals]));
  },
  TIMEOUT_MS,
);

test(
  "latency has each hop, next to the limit and to the rivals that have it",
  async () => {
    const report = await run(latency, options);
    expect(Object.keys(report.weft).sort()).toEqual(["callback", "handoff", "progress", "round_trip"]);
    for (const hop of Object.keys(report.weft)) expect(report.share[hop]?.p50?.median).toBeGreaterThan(0);
    for (const rival of rivals) {
      const hops = rival === "bullmq" ? ["round_trip", "handoff", "progress"] : ["round_trip"];
      expect(Object.keys(report.rivals[rival] ?? {})).toEqual(hops);
    }
  },
  TIMEOUT_MS,
);

test("graphs have a makespan each, and a share of the limit", async () => {
  const { weft, share } = await run(graphs, { ...options, count: 500 });
  expect(Object.keys(weft)).toEqual([...GRAPHS]);
  for (const graph of GRAPHS) {
    expect(weft[graph]?.cpuUs?.median).toBeGreaterThan(0);
    expect(share[graph]?.makespanMs?.median).toBeGreaterThan(0);
  }
});

test("cpu has tasks a second for each length, and a share of the ideal", async () => {
  const { weft, share, settings } = await run(cpu, { ...options, count: 50 });
  expect(Object.keys(weft)).toEqual(["task_1ms", "task_10ms", "task_100ms"]);
  for (const shape of Object.keys(weft)) {
    expect(share[shape]?.perSecond?.median).toBeGreaterThan(0);
    expect(settings[`${shape}_megabytes`]).toBeGreaterThan(0);
  }
});

test("replay has a makespan that is no shorter than the critical path", async () => {
  const { weft, limit, settings } = await run(replay, { ...options, count: 100 });
  expect(settings).toMatchObject({ workflow: "workflow.json", tasks: 9 });
  for (const figures of [weft, limit])
    expect(figures.workflow?.makespanPerCriticalPath?.median).toBeGreaterThanOrEqual(0.99);
});

test("idle has the processor's time of each process, and messages", async () => {
  const { weft } = await run(idle, { ...options, count: 10 });
  expect(Object.keys(weft.cluster ?? {})).toEqual(
    expect.arrayContaining(["cpuPercent", "cpuLeaderPercent", "cpuServerPercent", "messagesPerSecond"]),
  );
  expect(weft.cluster?.messagesPerSecond?.median).toBeGreaterThan(0);
});

test("memory has the bytes of each state", async () => {
  const { weft, limit } = await run(memory, { ...options, count: 10_000 });
  expect(Object.keys(weft)).toEqual(["waiting_10000", "ready_10000", "settled_10000"]);
  for (const figures of Object.values(weft)) expect(figures.bytesPerTask?.median).toBeGreaterThan(0);
  expect(limit).toEqual({});
});

test("scale has the time and the cost of a task, and how they grow", async () => {
  const { weft } = await run(scale, { ...options, count: 100 });
  expect(Object.keys(weft)).toEqual(["tasks_100"]);
  expect(weft.tasks_100).toMatchObject({ growth: { median: 1 }, cpuGrowth: { median: 1 } });
  expect(weft.tasks_100?.usPerTask?.median).toBeGreaterThan(0);
});

test("recovery has the time until tasks are dispatched, after a cold start and after the death of a leader", async () => {
  const { weft } = await run(recovery, { ...options, count: 100 });
  expect(Object.keys(weft)).toEqual(["cold_start_100", "leader_kill_100"]);
  for (const figures of Object.values(weft)) expect(figures.dispatchingMs?.median).toBeGreaterThan(0);
});

test("soak has what each process and the log hold, and how that grew", async () => {
  const { weft, settings } = await run(soak, { ...options, count: 10 });
  expect(Object.keys(weft)).toEqual(["coordinator", "worker", "client", "log"]);
  for (const figures of Object.values(weft)) expect(figures.growth?.median).toBeGreaterThan(0);
  expect(weft.coordinator?.lateRssBytes?.median).toBeGreaterThan(0);
  expect(settings.tasks).toBeGreaterThan(0);
}, 60_000);

test("limit has what a publish with acknowledgement takes", async () => {
  const report = await run(limit, options);
  expect(Object.keys(report.limit)).toEqual(["one_at_a_time", "many_100b", "many_10kb"]);
  for (const figures of Object.values(report.limit)) expect(figures.perSecond?.median).toBeGreaterThan(0);
});
