/** Whether a process runs, also where nobody has noticed its end. */
import { spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { isProcessRunning } from "../src/process-state.ts";
import { waitUntil } from "../src/wait-until.ts";

test("a process runs until it has ended, whether its parent has noticed or not", async () => {
  // The parent never asks how its child ended.
  const parent = spawn("sh", ["-c", "sleep 600 & echo $!; exec sleep 600"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const told = await new Promise<string>((resolve) =>
    parent.stdout.setEncoding("utf8").once("data", resolve),
  );
  const child = Number(told);
  expect(isProcessRunning(child)).toBe(true);
  process.kill(child, "SIGKILL");
  await waitUntil(() => !isProcessRunning(child));
  expect(parent.exitCode).toBeNull();
});

test("a number that no process has, or another user's has, is told apart", () => {
  expect(isProcessRunning(2 ** 22 + 1)).toBe(false);
  expect(isProcessRunning(1)).toBe(true);
});
