/** A cancel stops code that runs, or says plainly that it did not. */

import type { TaskHandle } from "@weft/client";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterEach, expect, test } from "vitest";
import { deaf, deafEnds, echo, hold } from "../fixtures/tasks.ts";

const file = new URL("../fixtures/tasks.ts", import.meta.url).pathname;
const HOUR_MS = 3_600_000;
const GRACE_MS = 50;
let cluster: TestCluster;
afterEach(() => cluster.stop());

async function begun(handle: TaskHandle): Promise<void> {
  await new Promise((resolve) => handle.onProgress(resolve));
}

test("code in a thread that heeds nothing is ended by force, and the worker goes on", async () => {
  cluster = await startTestCluster({ worker: { files: [file], slots: 1, cancelGraceMs: GRACE_MS } });
  const weft = await cluster.client();
  for (let round = 0; round < 3; round++) {
    const spinning = weft.submit("spin", HOUR_MS);
    await begun(spinning);
    expect(await spinning.cancel("enough")).toEqual({ outcome: "cancelled", stopped: "terminated" });
    await expect(spinning.result()).rejects.toThrow("enough");
    expect(await weft.submit("thread-sum", 10).result()).toBe(45);
  }
});

test("code that heeds its signal within the grace is not ended by force", async () => {
  cluster = await startTestCluster({ worker: { tasks: { hold }, cancelGraceMs: GRACE_MS } });
  const weft = await cluster.client();
  const held = weft.submit("hold");
  await begun(held);
  expect(await held.cancel()).toEqual({ outcome: "cancelled", stopped: "while_running" });
});

test("inline code that heeds nothing cannot be ended: the worker says so once, the cancel says how it ended", async () => {
  const lines: string[] = [];
  cluster = await startTestCluster({
    worker: { tasks: { deaf, echo }, slots: 2, cancelGraceMs: GRACE_MS, log: (line) => lines.push(line) },
  });
  const weft = await cluster.client();
  const handle = weft.submit("deaf");
  await begun(handle);
  const answer = handle.cancel();
  await waitUntil(() => lines.some((line) => line.includes("does not stop")), {
    story: () => lines.join("\n"),
  });
  expect(await handle.state()).toBe("cancelling");
  for (const end of deafEnds.splice(0)) end();
  expect(await answer).toEqual({ outcome: "succeeded", stopped: null });
  expect(lines.filter((line) => line.includes("does not stop"))).toHaveLength(1);
  expect(await weft.submit("echo", 1).result()).toBe(1);
});
