/** Each workload runs and gives what it says: a few tasks, no measurement. */
import { expect, test } from "vitest";
import { GRAPHS } from "../../bench/graphs/graph.ts";
import { graphs } from "../../bench/graphs/graphs.ts";
import { latency } from "../../bench/latency/latency.ts";
import { memory } from "../../bench/memory/memory.ts";
import { run } from "../../bench/run.ts";
import { throughput } from "../../bench/throughput/throughput.ts";

const options = { rivals: [], rounds: 1, count: 20, say: () => undefined, profileFolder: null };

test("throughput has tasks a second, times and the processor's, and a share of the limit", async () => {
  const { weft, limit, share, ratio } = await run(throughput, options);
  expect(Object.keys(weft)).toEqual(["single", "bulk_100", "single_10kb"]);
  for (const shape of Object.keys(weft)) {
    expect(Object.keys(weft[shape] ?? {})).toEqual(
      expect.arrayContaining(["perSecond", "p50", "p99", "cpuUs"]),
    );
    expect(limit[shape]?.perSecond?.median).toBeGreaterThan(0);
    expect(share[shape]?.perSecond?.median).toBeGreaterThan(0);
  }
  expect(ratio).toEqual({});
});

test("latency has each hop, and a share of the limit", async () => {
  const { weft, share } = await run(latency, options);
  expect(Object.keys(weft).sort()).toEqual(["callback", "handoff", "progress", "round_trip"]);
  for (const hop of Object.keys(weft)) expect(share[hop]?.p50?.median).toBeGreaterThan(0);
});

test("graphs have a makespan each, and a share of the limit", async () => {
  const { weft, share } = await run(graphs, { ...options, count: 500 });
  expect(Object.keys(weft)).toEqual([...GRAPHS]);
  for (const graph of GRAPHS) {
    expect(weft[graph]?.cpuUs?.median).toBeGreaterThan(0);
    expect(share[graph]?.makespanMs?.median).toBeGreaterThan(0);
  }
});

test("memory has the bytes of each state", async () => {
  const { weft, limit } = await run(memory, { ...options, count: 10_000 });
  expect(Object.keys(weft)).toEqual(["waiting_10000", "ready_10000", "settled_10000"]);
  for (const figures of Object.values(weft)) expect(figures.bytesPerTask?.median).toBeGreaterThan(0);
  expect(limit).toEqual({});
});
