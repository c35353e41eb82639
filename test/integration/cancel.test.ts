/** A cancel stops code that runs, or says plainly that it did not. */

import type { TaskHandle } from "@weft/client";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterEach, expect, test } from "vitest";
import { family, submitter, triesOf } from "../fixtures/policy-tasks.ts";
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
    expect(await spinning.cancel("enough")).toMatchObject({ outcome: "cancelled", stopped: "terminated" });
    await expect(spinning.result()).rejects.toThrow("enough");
    expect(await weft.submit("thread-sum", 10).result()).toBe(45);
  }
});

test("code that heeds its signal within the grace is not ended by force", async () => {
  cluster = await startTestCluster({ worker: { tasks: { hold }, cancelGraceMs: GRACE_MS } });
  const weft = await cluster.client();
  const held = weft.submit("hold");
  await begun(held);
  expect(await held.cancel()).toMatchObject({ outcome: "cancelled", stopped: "while_running" });
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
  expect(await answer).toMatchObject({ outcome: "succeeded", stopped: null });
  expect(lines.filter((line) => line.includes("does not stop"))).toHaveLength(1);
  expect(await weft.submit("echo", 1).result()).toBe(1);
});

test("a cancel takes the children along, at every level, and says how many", async () => {
  cluster = await startTestCluster({ worker: { tasks: { family }, slots: 4 } });
  const weft = await cluster.client();
  submitter.client = weft;
  const parent = weft.submit("family", { key: "cut", depth: 2 });
  await waitUntil(() => triesOf("cut.child.child") === 1);
  expect(await parent.cancel("enough")).toEqual({
    outcome: "cancelled",
    stopped: "while_running",
    also: { children: 2, dependents: 0 },
  });
  // Nothing of it runs any more: all slots are free.
  const all = Array.from({ length: 4 }, (_, at) => weft.submit("family", { key: `next${at}`, depth: 0 }));
  await Promise.all(all.map(begun));
  await Promise.all(all.map((each) => each.cancel()));
});

test("what waits for a cancelled task fails with it as the root, or is cancelled where that is asked for", async () => {
  cluster = await startTestCluster({ worker: { tasks: { hold, echo }, slots: 4 } });
  const weft = await cluster.client();
  const [kept, taken] = [weft.submit("hold"), weft.submit("hold")];
  const behindKept = weft.submit("echo", 1, { dependsOn: [kept] });
  const behindTaken = weft.submit("echo", 1, { dependsOn: [taken] });
  const further = weft.submit("echo", 1, { dependsOn: [behindTaken] });
  await Promise.all([begun(kept), begun(taken)]);
  await kept.cancel("enough");
  expect(await taken.cancel("enough", { dependents: "cancel" })).toMatchObject({
    outcome: "cancelled",
    also: { children: 0, dependents: 2 },
  });
  expect((await behindKept.settled()).outcome).toBe("failed");
  expect(await further.settled()).toMatchObject({ outcome: "cancelled", stopped: "before_release" });
  await expect(further.result()).rejects.toThrow("enough");
});
