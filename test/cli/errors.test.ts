/** What goes wrong is told in one line on standard error, says what to do, and has its exit code. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NatsServer, startNatsServer, startTestCluster, type TestCluster } from "@weft/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runWeft, type WeftRun } from "../fixtures/process.ts";

const fixture = (name: string): string => new URL(`../fixtures/${name}`, import.meta.url).pathname;
let cluster: TestCluster;
let folder: string;

const weft = (...args: string[]): Promise<WeftRun> =>
  runWeft(args, { env: { WEFT_URL: cluster.server.url, WEFT_DEBUG: "" } });

beforeAll(async () => {
  cluster = await startTestCluster();
  folder = await mkdtemp(join(tmpdir(), "weft-cli-"));
});
afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true });
});

describe("a wrong command line exits with 2 and says what is wrong", () => {
  test.each([
    [["frobnicate"], "unknown command 'frobnicate'"],
    [["submit"], "missing required argument 'NAME'"],
    [["ls", "--colour"], "unknown option '--colour'"],
    [["submit", "No Name", "1"], "No Name"],
    [["submit", "echo", "{a:1}"], "the input is not JSON"],
    [["submit", "echo", "hello"], `A text needs its quotes: '"hello"'`],
    [["submit", "echo", "1", "--priority", "high"], "--priority must be a whole number"],
    [["submit", "echo", "1", "--depends-on", "nonsense"], "nonsense"],
    [["show", "nonsense"], "nonsense"],
    [["ls", "--state", "asleep"], "--state must be one of"],
    [["ls", "--connect-timeout", "soon"], "--connect-timeout must be a duration"],
    [["ls", "--namespace", "a.b"], "a.b"],
    [["ls", "--url", ""], "--url"],
    [["worker", "missing.ts"], "missing.ts"],
    [["worker", fixture("tasks.ts"), "--slots", "0"], "--slots must be a whole number"],
    [["init", "--log-bytes-max", "huge"], "--log-bytes-max must be a size"],
    [["dev", "--url", "nats://127.0.0.1:4222"], "leave out --url"],
    [["dev", "--memory", "--store-dir", "x"], "leave out --store-dir"],
  ])("weft %j", async (args, message) => {
    const { code, stdout, stderr } = await weft(...args);
    expect(stderr).toContain(message);
    expect({ code, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({
      code: 2,
      stdout: "",
      lines: 1,
    });
  });

  test("also as JSON", async () => {
    const { code, stderr } = await weft("submit", "echo", "{", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toEqual({ error: { code: "weft_usage", message: expect.any(String) } });
  });
});

describe("a task file", () => {
  test("that does not load keeps the worker from starting, with file and line", async () => {
    const { code, stderr } = await weft("worker", fixture("broken-tasks.ts"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/broken-tasks\.ts:\d+/);
  });

  test("whose task has the name of another one is refused with the name", async () => {
    const { code, stderr } = await weft("worker", fixture("tasks.ts"), fixture("twice-tasks.ts"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/echo.*tasks\.ts.*twice-tasks\.ts/);
  });

  test("without a task is refused", async () => {
    const path = join(folder, "none.ts");
    await writeFile(path, "export const one = 1;\n");
    const { code, stderr } = await weft("worker", path);
    expect(code).toBe(2);
    expect(stderr).toContain("none.ts");
  });
});

describe("a cluster that cannot be used exits with 3", () => {
  test("nobody answers: which address, how long it was tried, for every command", async () => {
    const address = ["--url", "nats://127.0.0.1:1", "--connect-timeout", "300ms"];
    const id = "00aoud1b8MFCdyAhxiLz4w";
    const commands = [
      ["ls"],
      ["workers"],
      ["show", id],
      ["events"],
      ["init"],
      ["cancel", id],
      ["submit", "echo", "1"],
      ["coordinator"],
      ["worker", fixture("tasks.ts")],
    ];
    for (const command of commands) {
      const { code, stdout, stderr } = await weft(...command, ...address);
      expect(stderr).toMatch(/no NATS server answered at nats:\/\/127\.0\.0\.1:1 within 0\.[0-9] s/);
      expect({ command, code, stdout }).toEqual({ command, code: 3, stdout: "" });
    }
  });

  test("no coordinator leads", async () => {
    await using server = await startNatsServer();
    const flags = ["--url", server.url, "--connect-timeout", "500ms"];
    expect((await weft("init", ...flags)).code).toBe(0);
    const { code, stderr } = await weft("ls", ...flags);
    expect(code).toBe(3);
    expect(stderr).toMatch(/coordinator/);
    const doctor = await weft("doctor", ...flags);
    expect(doctor.code).toBe(3);
    expect(doctor.stdout).toMatch(/^fail +leader/m);
    expect(doctor.stdout).toContain("`weft coordinator` starts one");
  });

  test("the namespace is missing: how to create it", async () => {
    for (const command of [["ls"], ["submit", "echo", "1"], ["coordinator"]]) {
      const { code, stderr } = await weft(
        ...command,
        "--namespace",
        "elsewhere",
        "--connect-timeout",
        "500ms",
      );
      expect(stderr).toMatch(/"?elsewhere"?.*weft init/s);
      expect({ command, code }).toEqual({ command, code: 3 });
    }
  });

  test("NATS without JetStream", async () => {
    await using server: NatsServer = await startNatsServer({ jetstream: false });
    const { code, stderr } = await weft("coordinator", "--url", server.url);
    expect(stderr).toMatch(/JetStream/);
    expect(code).toBe(3);
    const doctor = await weft("doctor", "--url", server.url);
    expect(doctor.stdout).toMatch(/^fail +jetstream/m);
  });

  test("a NATS server that is too old is refused by name and version", async () => {
    const old = await oldServer("2.9.0");
    try {
      const { port } = old.address() as { port: number };
      const { code, stderr } = await weft(
        "ls",
        "--url",
        `nats://127.0.0.1:${port}`,
        "--connect-timeout",
        "2s",
      );
      expect(stderr).toMatch(/2\.9\.0/);
      expect(stderr).toMatch(/2\.12/);
      expect(code).toBe(3);
    } finally {
      old.close();
    }
  });
});

/** Speaks just enough of the protocol to be connected to. */
function oldServer(version: string): Promise<Server> {
  const info = {
    server_id: "OLD",
    version,
    proto: 1,
    headers: true,
    max_payload: 1_048_576,
    jetstream: true,
  };
  const server = createServer((socket) => {
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      if (data.includes("PING")) socket.write("PONG\r\n");
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}
