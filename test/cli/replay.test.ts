/** A recorded workflow, run as tasks of a cluster that has no worker of its own for them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestCluster, type TestCluster } from "@weft/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { replaySleep } from "../../packages/cli/src/replay/tasks.ts";
import { runWeft, startWeft, type WeftRun } from "../fixtures/process.ts";

const file = new URL("../fixtures/workflow.json", import.meta.url).pathname;
let cluster: TestCluster;
let folder: string;

const weft = (...args: string[]): Promise<WeftRun> =>
  runWeft(args, { env: { WEFT_URL: cluster.server.url, WEFT_DEBUG: "" } });

beforeAll(async () => {
  cluster = await startTestCluster();
  folder = await mkdtemp(join(tmpdir(), "weft-replay-"));
});
afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true });
});

describe("weft replay", () => {
  test("runs the tasks in their order, on a worker of its own, and tells how far from the bound it was", async () => {
    const { code, stdout } = await weft("replay", file, "--time-scale", "50", "--json");
    expect(code).toBe(0);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ workflow: "daily-sums", tasks: 9, timeScale: 50, spin: false, slots: 9 });
    expect(told).toMatchObject({ criticalPathMs: 130, workMs: 250, boundMs: 130 });
    expect(told.makespanMs).toBeGreaterThanOrEqual(told.criticalPathMs);
    expect(told.ratio).toBeCloseTo(told.makespanMs / told.boundMs, 2);
    expect(JSON.parse((await weft("workers", "--json")).stdout)).toEqual([]);
  });

  test("prints a table for people, how far it is on the other side; with --spin tasks compute", async () => {
    const flags = ["--spin", "--slots", "1", "--time-scale", "50"];
    const { code, stdout, stderr } = await weft("replay", file, ...flags);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("9 of 9 tasks") });
    expect(stdout).toMatch(/^workflow +daily-sums\ntasks +9\ncritical path +130 ms\nwork +250 ms\n/);
    expect(stdout).toMatch(
      /\nbound +250 ms with 1 slots\nmakespan +\S+ m?s\nratio +\d+(\.\d+)? of the bound\n$/,
    );
  });

  test("--no-worker leaves the tasks to the workers of the cluster that have them", async () => {
    await using other = await startTestCluster({ worker: { tasks: { replaySleep }, slots: 9 } });
    const { code, stdout } = await weft(
      ...["replay", file, "--no-worker", "--time-scale", "50", "--json", "--url", other.server.url],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ tasks: 9, slots: null, boundMs: 130 });
  });

  test("says why nothing happens, and an interrupt cancels what is left", async () => {
    const replay = startWeft(["replay", file, "--no-worker"], { env: { WEFT_URL: cluster.server.url } });
    await replay.printed('no live worker has the task "weft-replay-sleep"');
    replay.kill("SIGINT");
    expect(await replay.exited).toBe(1);
    expect(replay.stderr()).toContain("split: ");
    expect(replay.stderr()).toContain("the replay was interrupted");
    const { total } = JSON.parse((await weft("ls", "--json", "--state", "waiting,released")).stdout);
    expect(total).toBe(0);
  });

  test("refuses what is no workflow with 2, before it connects", async () => {
    const bad = join(folder, "bad.json");
    await writeFile(bad, '{"name":"bad","schemaVersion":"1.5","workflow":{"specification":{"tasks":[]}}}');
    const nowhere = ["--url", "nats://127.0.0.1:1"];
    for (const [args, message] of [
      [[bad], "bad.json: workflow.execution is missing"],
      [[join(folder, "missing.json")], "missing.json: it cannot be read"],
      [[file, "--time-scale", "1e-9"], "--time-scale makes it shorter"],
      [[file, "--time-scale", "0"], "--time-scale must be a number above 0"],
      [[file, "--no-worker", "--slots", "2"], "leave it out with --no-worker"],
    ] as const) {
      const { code, stdout, stderr } = await weft("replay", ...args, ...nowhere);
      expect({ code, stdout, stderr }).toEqual({
        code: 2,
        stdout: "",
        stderr: expect.stringContaining(message),
      });
    }
  });
});
