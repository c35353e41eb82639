/** Tasks in processes of their own, on a worker that is a process itself: what each takes with it when it ends. */
import { type Client, connect, type TaskHandle } from "@weft/client";
import { type NatsServer, startNatsServer, waitUntil } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startWeft, type WeftProcess } from "../fixtures/process.ts";
import { descendantsOf, untilGone } from "../fixtures/process-tree.ts";

const file = new URL("../fixtures/process-tasks.ts", import.meta.url).pathname;
let server: NatsServer;
let weft: Client;
const running: WeftProcess[] = [];

function start(...args: string[]): WeftProcess {
  const started = startWeft([...args, "--url", server.url]);
  running.push(started);
  return started;
}

async function startWorker(): Promise<WeftProcess> {
  const worker = start("worker", file, "--slots", "4", "--cancel-grace", "200ms");
  await worker.printed("ready");
  return worker;
}

beforeEach(async () => {
  server = await startNatsServer();
  await start("coordinator", "--create").printed("leads");
  weft = await connect({ servers: server.url });
});
afterEach(async () => {
  await weft.close();
  for (const each of running.splice(0)) {
    each.kill("SIGKILL");
    await each.exited;
  }
  await server.stop();
});

/** The process that runs it. */
function pidOf(handle: TaskHandle<unknown>): Promise<number> {
  return new Promise((said) => handle.onProgress(({ message }) => said(Number(message))));
}

test("a worker that is killed leaves no process behind, though their code blocks", async () => {
  const worker = await startWorker();
  const handles = [weft.submit("spin-apart"), weft.submit("spin-apart"), weft.submit("hold-apart")];
  const pids = await Promise.all(handles.map(pidOf));
  const processes = descendantsOf(worker.pid);
  for (const pid of pids) expect(processes.map((each) => each.pid)).toContain(pid);
  worker.kill("SIGKILL");
  await worker.exited;
  await untilGone(processes);
});

test("a process that is killed fails its task, and the other slots go on", async () => {
  const worker = await startWorker();
  const [victim, beside] = [weft.submit("spin-apart"), weft.submit("hold-apart")];
  const [pid] = await Promise.all([pidOf(victim), pidOf(beside)]);
  process.kill(pid, "SIGKILL");
  const { outcome, error } = await victim.settled();
  expect(outcome).toBe("failed");
  expect(error?.cause).toMatchObject({
    name: "ProcessExitError",
    code: "weft_process_exit",
    signal: "SIGKILL",
  });
  const left = await weft.submit("exit-apart", 9).settled();
  expect(left.error?.cause).toMatchObject({ exitCode: 9, stderr: "leaving" });
  await waitUntil(() => / wrote: leaving$/m.test(worker.output()), { story: () => worker.output() });
  const large = "x".repeat(500_000);
  expect(await weft.submit("echo-apart", large).result()).toBe(large);
  expect((await beside.cancel()).outcome).toBe("cancelled");
});

test("code in a process that heeds no cancel is ended by force once its grace is over", async () => {
  const worker = await startWorker();
  const handle = weft.submit("spin-apart");
  const pid = await pidOf(handle);
  expect(await handle.cancel("enough")).toMatchObject({ outcome: "cancelled", stopped: "terminated" });
  expect(descendantsOf(worker.pid).map((each) => each.pid)).not.toContain(pid);
  expect(worker.output()).toContain("it is ended by force");
});

test("a signal to the whole service lets running tasks end, and leaves no process", async () => {
  const worker = await startWorker();
  const handle = weft.submit("second-apart");
  const pid = await pidOf(handle);
  const processes = descendantsOf(worker.pid);
  process.kill(pid, "SIGTERM");
  worker.kill("SIGTERM");
  expect(await handle.result()).toBe("done");
  expect(await worker.exited).toBe(0);
  await untilGone(processes);
});
