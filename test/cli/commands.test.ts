/** Each command as people type it, on a cluster that runs. */
import { type Client, ResultExpiredError, type TaskHandle } from "@weft/client";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  runWeft,
  startWeft,
  type WeftProcess,
  type WeftProcessOptions,
  type WeftRun,
} from "../fixtures/process.ts";

const file = new URL("../fixtures/tasks.ts", import.meta.url).pathname;
let cluster: TestCluster;
let client: Client;

const weft = (args: readonly string[], options: WeftProcessOptions = {}): Promise<WeftRun> =>
  runWeft(args, { ...options, env: { WEFT_URL: cluster.server.url } });

/** A task whose code has begun and goes on until it is cancelled. */
async function running(): Promise<TaskHandle> {
  const handle = client.submit("hold");
  await new Promise((begun) => handle.onProgress(begun));
  return handle;
}

type PrintedEvent = {
  readonly id?: string;
  readonly state?: string;
  readonly task?: string;
  readonly fraction?: number;
};

/** The whole lines of what `weft events --json` has printed. */
const eventsOf = (process: WeftProcess): readonly PrintedEvent[] =>
  process
    .stdout()
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  cluster = await startTestCluster({ worker: { files: [file], labels: ["gpu"], slots: 4 } });
  client = await cluster.client();
});
afterAll(() => cluster.stop());

describe("weft submit", () => {
  test("prints the id of the task that the log has, and nothing else", async () => {
    const { code, stdout, stderr } = await weft(["submit", "echo", "1"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await client.handle(stdout.trim()).result()).toBe(1);
  });

  test("--watch prints the result as JSON on standard output, progress on the other", async () => {
    const { code, stdout, stderr } = await weft(["submit", "steps", "3", "--watch"]);
    expect({ code, result: JSON.parse(stdout) }).toEqual({ code: 0, result: "steps" });
    expect(stderr).toMatch(/task steps \S+ accepted\n/);
    expect(stderr).toContain("steps 100 % step 3");
  });

  test("--watch of a task that fails prints the error with its cause and exits with 1", async () => {
    const { code, stdout, stderr } = await weft(["submit", "quota", "--watch"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("failed: QuotaError: over the limit of 7");
    expect(stderr).toContain("RangeError: the cause of it");
    expect(stderr).not.toContain(" at ");
  });

  test("--json prints one object, with the error in it", async () => {
    const fine = await weft(["submit", "add", '{"a":1,"b":2}', "--watch", "--json"]);
    expect(JSON.parse(fine.stdout)).toMatchObject({
      name: "add",
      outcome: "succeeded",
      result: 3,
      attempt: 1,
    });
    const bad = await weft(["submit", "quota", "--watch", "--json"]);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      outcome: "failed",
      error: {
        message: expect.stringContaining("over the limit"),
        causes: expect.arrayContaining([{ name: "RangeError", message: "the cause of it" }]),
      },
    });
  });

  test("- reads the input from standard input", async () => {
    const { stdout } = await weft(["submit", "echo", "-", "--watch"], { input: "[1, 2]\n" });
    expect(JSON.parse(stdout)).toEqual([1, 2]);
  });

  test("--depends-on hands over the results, --labels and --priority are kept", async () => {
    const first = await weft(["submit", "echo", "40"]);
    const second = client.submit("echo", 2);
    const ids = `${first.stdout.trim()},${second.id}`;
    const flags = ["--depends-on", ids, "--labels", "gpu", "--priority", "7", "--watch", "--json"];
    const { stdout } = await weft(["submit", "sum", ...flags]);
    expect(JSON.parse(stdout)).toMatchObject({ result: 42 });
    const shown = await weft(["show", JSON.parse(stdout).id, "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ labels: ["gpu"], priority: 7, state: "succeeded" });
  });

  test("--no-keep-result leaves the result to nobody else, once it is printed", async () => {
    const { stdout } = await weft(["submit", "echo", "5", "--watch", "--no-keep-result", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: "succeeded", result: 5 });
    const { id } = JSON.parse(stdout);
    const isGone = async (): Promise<boolean> =>
      (await client.handle(id).settled()).error instanceof ResultExpiredError;
    await waitUntil(isGone, { what: "the end of the result" });
    const shown = await weft(["show", id, "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ state: "succeeded" });
  });

  test("--no-keep-result is refused of a command that does not wait for the result", async () => {
    const { code, stderr } = await weft(["submit", "echo", "5", "--no-keep-result"]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("is for --watch") });
  });

  test("--watch says why a task waits, and an interrupt leaves the task alone", async () => {
    const env = { WEFT_URL: cluster.server.url };
    const watching = startWeft(["submit", "nobody-has-it", "--watch"], { env });
    await watching.printed('no live worker has the task "nobody-has-it"');
    watching.kill("SIGINT");
    expect(await watching.exited).toBe(1);
    const [, id = ""] = /task nobody-has-it (\S+) accepted/.exec(watching.stderr()) ?? [];
    expect(watching.stderr()).toContain(`task ${id} goes on`);
    expect(await client.handle(id).state()).toBe("released");
  });
});

describe("weft submit with limits", () => {
  test("retries, and tells how often and why it failed", async () => {
    const { code, stderr } = await weft(["submit", "fail", '"as it must"', "--watch", "--max-attempts", "2"]);
    expect(code).toBe(1);
    expect(stderr).toContain("failed after 2 attempts: TypeError: as it must");
  });

  test("times out, and tells which limit it was", async () => {
    const hold = await weft(["submit", "hold", "--watch", "--timeout", "200ms", "--json"]);
    expect(hold.code).toBe(1);
    expect(JSON.parse(hold.stdout)).toMatchObject({
      outcome: "timed_out",
      error: { code: "weft_task_timed_out", message: expect.stringContaining("time-out of 200 ms") },
    });
    const nobody = await weft(["submit", "nobody-has-it", "--watch", "--queue-timeout", "200ms"]);
    expect(nobody.stderr).toContain("was not begun within its queue time-out of 200 ms");
    const dead = await weft(["submit", "nobody-has-it", "--watch", "--deadline", "300ms"]);
    expect(dead.stderr).toContain("did not end by its deadline");
    const { code, stderr } = await weft(["submit", "echo", "--timeout", "soon"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining("--timeout must be a duration"),
    });
  });
});

describe("weft show", () => {
  test("tells why a task is in its state", async () => {
    const held = await running();
    const waiting = client.submit("echo", 1, { dependsOn: [held] });
    await waiting.accepted;
    const { code, stdout } = await weft(["show", waiting.id]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^task +echo /);
    expect(stdout).toMatch(/\nstate +waiting/);
    expect(stdout).toContain(held.id);
    const holding = await weft(["show", held.id]);
    expect(holding.stdout).toMatch(/\nworker +worker\./);
    expect(holding.stdout).toMatch(/\ndependents +1/);
    await held.cancel();
  });

  test("tells how a task ended, with the chain of causes", async () => {
    const first = client.submit("fail", "the first");
    const last = client.submit("echo", 1, { dependsOn: [first] });
    await last.settled();
    const { stdout } = await weft(["show", last.id]);
    expect(stdout).toContain("failed");
    expect(stdout).toContain(first.id);
    expect(stdout).toContain("the first");
    const done = client.submit("echo", { deep: [1] });
    await done.result();
    expect((await weft(["show", done.id])).stdout).toContain('{"deep":[1]}');
  });

  test("says so where nobody has submitted the id", async () => {
    const id = "00aoud1b8MFCdyAhxiLz4w";
    const { code, stdout, stderr } = await weft(["show", id]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(id);
  });
});

describe("weft ls", () => {
  test("lists the newest tasks first, by state and name", async () => {
    await client.submit("echo", 1).result();
    const failed = client.submit("fail", "listed");
    await failed.settled();
    const { code, stdout } = await weft(["ls", "--state", "failed", "--name", "fail", "--limit", "1"]);
    expect(code).toBe(0);
    const [head, row, ...rest] = stdout.trimEnd().split("\n");
    expect(head).toMatch(/^ID +NAME +STATE +ATTEMPT +WORKER$/);
    expect(row).toMatch(new RegExp(`^${failed.id} +fail +failed`));
    expect(rest).toEqual([]);
    const json = JSON.parse((await weft(["ls", "--json", "--state", "failed,succeeded"])).stdout);
    expect(json.total).toBeGreaterThanOrEqual(2);
    expect(json.rows[0]).toMatchObject({ id: failed.id, state: "failed" });
  });
});

describe("weft workers", () => {
  test("lists the live ones with what they can run", async () => {
    const text = await weft(["workers"]);
    expect(text.stdout).toMatch(/^WORKER +STATE +HOST/);
    expect(text.stdout).toContain("gpu");
    const [worker] = JSON.parse((await weft(["workers", "--json"])).stdout);
    expect(worker).toMatchObject({ slots: 4, labels: ["gpu"], pid: process.pid });
    expect(worker.names).toContain("echo");
    expect(JSON.parse((await weft(["workers", "--here", "--json"])).stdout)).toHaveLength(1);
  });
});

test("weft workers --here exits with 1 where this machine has none", async () => {
  await using empty = await startTestCluster();
  const { code, stderr } = await runWeft(["workers", "--here", "--url", empty.server.url]);
  expect(code).toBe(1);
  expect(stderr).toContain("no live workers");
});

describe("weft events", () => {
  test("prints tasks and progress as they happen, filtered, and ends after --count", async () => {
    const env = { WEFT_URL: cluster.server.url };
    const all = startWeft(["events", "--json"], { env });
    const some = startWeft(["events", "--task", "steps", "--state", "succeeded,failed", "--count", "1"], {
      env,
    });
    await some.printed("listening");
    // With --json it says nothing but events: it listens once the first one came.
    await waitUntil(async () => {
      await client.submit("echo", 1).result();
      return all.stdout() !== "";
    });
    const steps = client.submit("steps", 2);
    await steps.result();
    expect(await some.exited).toBe(0);
    expect(some.stdout().trimEnd().split("\n")).toEqual([
      expect.stringContaining(`task steps ${steps.id} succeeded`),
    ]);
    await waitUntil(() => eventsOf(all).some(({ id, state }) => id === steps.id && state === "succeeded"));
    all.kill("SIGINT");
    expect(await all.exited).toBe(0);
    const events = eventsOf(all);
    expect(events.filter(({ id }) => id === steps.id).map(({ state }) => state)).toEqual(
      expect.arrayContaining(["submitted", "dispatched", "succeeded"]),
    );
    expect(events.some(({ task, fraction }) => task === steps.id && (fraction ?? 0) > 0)).toBe(true);
  });
});

describe("weft explain", () => {
  test("tells what a task waits for, down to the task that no worker can run", async () => {
    const root = client.submit("nobody-has-it", 1, { queueTimeout: "1h" });
    const middle = client.submit("echo", 1, { dependsOn: [root] });
    const last = client.submit("echo", 1, { dependsOn: [middle], deadline: "1h" });
    await last.accepted;
    const { code, stdout } = await weft(["explain", last.id]);
    expect(code).toBe(0);
    const [head, ...lines] = stdout.trimEnd().split("\n");
    expect(head).toBe(`echo ${last.id} is waiting`);
    expect(lines[0]).toBe(`  it waits for 1 of 1 dependencies: echo ${middle.id} (waiting)`);
    expect(lines).toContain(`  echo ${middle.id}`);
    expect(lines).toContain(`    nobody-has-it ${root.id}`);
    expect(stdout).toContain('      no live worker has the task "nobody-has-it" (1 worker live)');
    const { facts } = JSON.parse((await weft(["explain", last.id, "--json"])).stdout);
    expect(facts.map(({ id, type }: { id: string; type: string }) => `${id} ${type}`)).toEqual([
      `${last.id} dependencies`,
      `${last.id} time_limit`,
      `${last.id} time_limit`,
      `${middle.id} dependencies`,
      `${middle.id} time_limit`,
      `${root.id} no_worker`,
      `${root.id} time_limit`,
    ]);
    await root.cancel("told", { dependents: "cancel" });
  });

  test("tells that a task runs, and where; and of one that nobody knows that nobody does", async () => {
    const held = await running();
    expect((await weft(["explain", held.id])).stdout).toMatch(
      /worker worker\.\S+ on \S+ runs it \(attempt 1\)/,
    );
    await held.cancel();
    expect((await weft(["explain", held.id])).stdout).toContain("it was cancelled while running");
    const { code, stderr } = await weft(["explain", "00aoud1b8MFCdyAhxiLz4w"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("nobody has submitted") });
  });
});

describe("weft cancel", () => {
  test("--dependents takes what waits with it, and says how many", async () => {
    const root = client.submit("nobody-has-it");
    const waiting = client.submit("echo", 1, { dependsOn: [root] });
    await waiting.accepted;
    const { code, stdout } = await weft(["cancel", root.id, "--dependents"]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${root.id} cancelled before start, with 1 that waited\n`,
    });
    expect((await waiting.settled()).outcome).toBe("cancelled");
  });

  test("tells where it caught each task, and which are unknown", async () => {
    const waiting = client.submit("nobody-has-it");
    const held = await running();
    const done = client.submit("echo", 1);
    await done.result();
    const unknown = "00aoud1b8MFCdyAhxiLz4w";
    const { code, stdout } = await weft([
      "cancel",
      waiting.id,
      held.id,
      done.id,
      unknown,
      "--reason",
      "test",
    ]);
    expect(code).toBe(1);
    expect(stdout.trimEnd().split("\n")).toEqual([
      `${waiting.id} cancelled before start`,
      expect.stringMatching(new RegExp(`^${held.id} cancelled `)),
      `${done.id} succeeded already`,
      expect.stringMatching(new RegExp(`^${unknown} unknown`)),
    ]);
    const { error } = await held.settled();
    expect(error?.message).toContain("test");
  });
});

describe("weft init", () => {
  test("creates a namespace once", async () => {
    const first = await weft(["init", "--namespace", "orders", "--log-bytes-max", "1MiB"]);
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('created the namespace "orders"'),
    });
    const again = await weft(["init", "--namespace", "orders", "--json"]);
    expect(JSON.parse(again.stdout)).toMatchObject({ namespace: "orders", created: false });
  });
});

describe("weft doctor", () => {
  test("is content with a cluster that works", async () => {
    const { code, stdout } = await weft(["doctor"]);
    expect(code).toBe(0);
    for (const name of ["node", "nats-server", "server", "jetstream", "namespace", "leader", "workers"]) {
      expect(stdout).toMatch(new RegExp(`^ok +${name}`, "m"));
    }
    expect(JSON.parse((await weft(["doctor", "--json"])).stdout)).toMatchObject({ ok: true });
  });
});
