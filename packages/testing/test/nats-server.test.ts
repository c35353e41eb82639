import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  NatsServerStartError,
  NatsServerStoppedError,
  NatsServerTooOldError,
  NatsServerUnusableError,
} from "../src/nats-server/errors.ts";
import { findNatsServer } from "../src/nats-server/finder.ts";
import type { NatsServer, StartNatsServerOptions } from "../src/nats-server/server.ts";
import { startNatsServer } from "../src/nats-server/server.ts";
import { isProcessRunning } from "../src/process-state.ts";
import {
  jetStreamRequest,
  readInfo,
  temporaryFolder,
  waitUntil,
  writeFakeServer,
  writeScript,
} from "./nats-server-support.ts";

// Beyond every deadline in here, so that it is the deadline that tells what was waited for.
vi.setConfig({ testTimeout: 40_000 });

let binary = "";
// A first run on a machine may have to fetch one.
beforeAll(async () => {
  binary = (await findNatsServer()).path;
}, 300_000);

/** A server that is stopped when the test is over, whatever became of it. */
async function start(options: StartNatsServerOptions = {}): Promise<NatsServer> {
  const server = await startNatsServer({ binary, ...options });
  onTestFinished(() => server.stop());
  return server;
}

const stream = { name: "S", subjects: ["s.>"], storage: "file" };

async function streamNames(port: number): Promise<unknown> {
  return ((await jetStreamRequest(port, "STREAM.NAMES", {})) as { streams: unknown }).streams;
}

/** Holds a port as another program would. */
async function hold(port: number): Promise<{ readonly port: number; readonly release: () => Promise<void> }> {
  const holder = createServer();
  await new Promise<void>((resolve, reject) =>
    holder.once("error", reject).listen(port, "127.0.0.1", resolve),
  );
  const release = (): Promise<void> => new Promise((resolve) => holder.close(() => resolve()));
  onTestFinished(release);
  const address = holder.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, release };
}

describe("a started nats-server", () => {
  test("listens on a free port of loopback, with JetStream", async () => {
    const server = await start({ serverName: "one" });
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    expect(await readInfo(server.port)).toMatchObject({
      host: "127.0.0.1",
      version: server.version,
      jetstream: true,
      server_name: "one",
    });
    expect(isProcessRunning(server.pid)).toBe(true);
    expect(server.binary).toBe(binary);
  });

  test("is ready well within a second", async () => {
    const durationsMs: number[] = [];
    // The best of three: this machine may have been busy with something else.
    for (let round = 0; round < 3; round += 1) {
      const begun = performance.now();
      await start();
      durationsMs.push(performance.now() - begun);
    }
    expect(Math.min(...durationsMs)).toBeLessThan(500);
  });

  test("shares neither port nor store with another one", async () => {
    const [a, b] = await Promise.all([start(), start()]);
    expect(a.port).not.toBe(b.port);
    expect(a.storeDir).not.toBe(b.storeDir);
    await jetStreamRequest(a.port, "STREAM.CREATE.S", stream);
    expect(await streamNames(a.port)).toEqual(["S"]);
    expect(await streamNames(b.port)).toBeNull();
  });

  test("is gone with its temporary store after a stop, and its log can still be read", async () => {
    const server = await start();
    const { pid, storeDir = "" } = server;
    await jetStreamRequest(server.port, "STREAM.CREATE.S", stream);
    expect(existsSync(storeDir)).toBe(true);
    await Promise.all([server.stop(), server.stop()]);
    expect(await server.exited).toEqual({ code: 0, signal: null });
    expect(isProcessRunning(pid)).toBe(false);
    expect(existsSync(dirname(storeDir))).toBe(false);
    expect(server.logs()).toContain("Server is ready");
    await expect(server.restart()).rejects.toThrow(NatsServerStoppedError);
  });

  test("is stopped at the end of the block that uses it", async () => {
    let pid = 0;
    {
      await using server = await startNatsServer({ binary });
      pid = server.pid;
      expect(isProcessRunning(pid)).toBe(true);
    }
    expect(isProcessRunning(pid)).toBe(false);
  });

  test("leaves a store that the caller named, for the next one to go on with", async () => {
    const storeDir = join(temporaryFolder(), "data");
    const first = await start({ storeDir, syncAlways: true });
    await jetStreamRequest(first.port, "STREAM.CREATE.S", stream);
    await first.stop();
    const second = await start({ storeDir });
    expect(second.storeDir).toBe(storeDir);
    expect(await streamNames(second.port)).toEqual(["S"]);
  });

  test("takes the port that it is given, and more configuration", async () => {
    const { port, release } = await hold(0);
    await release();
    const server = await start({ port, config: "max_payload: 4096" });
    expect(server.port).toBe(port);
    expect(await readInfo(port)).toMatchObject({ max_payload: 4096 });
  });

  test("has monitoring and JetStream only as asked for", async () => {
    const plain = await start({ jetstream: false });
    expect(plain.monitorUrl).toBeUndefined();
    expect(plain.storeDir).toBeUndefined();
    expect((await readInfo(plain.port)).jetstream).toBeUndefined();
    const monitored = await start({ monitorPort: 0 });
    expect((await fetch(`${monitored.monitorUrl}/healthz`)).status).toBe(200);
    await monitored.restart();
    expect((await fetch(`${monitored.monitorUrl}/healthz`)).status).toBe(200);
  });

  test("syncs each write when told so", async () => {
    const server = await start({ syncAlways: true, monitorPort: 0 });
    const state: unknown = await (await fetch(`${server.monitorUrl}/jsz`)).json();
    expect(state).toMatchObject({ config: { sync_always: true } });
  });
});

describe("a restart", () => {
  test("after a kill keeps port and store, in a new process", async () => {
    const server = await start();
    const { pid, port, exited } = server;
    await jetStreamRequest(port, "STREAM.CREATE.S", stream);
    server.kill();
    expect(await exited).toEqual({ code: null, signal: "SIGKILL" });
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(server.port).toBe(port);
    expect(await streamNames(port)).toEqual(["S"]);
  });

  test("shuts down a running server first", async () => {
    const server = await start();
    const { pid, exited } = server;
    await Promise.all([server.restart(), server.restart()]);
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(isProcessRunning(pid)).toBe(false);
    expect(isProcessRunning(server.pid)).toBe(true);
  });

  test("waits until its port is free again", async () => {
    const server = await start();
    server.kill();
    await server.exited;
    const { release } = await hold(server.port);
    const restarted = server.restart();
    await waitUntil("a refused start", () => server.logs().includes("address already in use"));
    await release();
    await restarted;
    expect(await readInfo(server.port)).toMatchObject({ version: server.version });
  });

  test("that fails leaves a server that can be restarted and stopped", async () => {
    const link = join(temporaryFolder(), "nats-server");
    writeScript(link, `exec ${binary} "$@"`);
    const server = await start({ binary: link });
    const folder = dirname(server.storeDir ?? "");
    rmSync(link);
    await expect(server.restart()).rejects.toThrow(NatsServerStartError);
    expect(isProcessRunning(server.pid)).toBe(false);
    writeScript(link, `exec ${binary} "$@"`);
    await server.restart();
    expect(await readInfo(server.port)).toMatchObject({ version: server.version });
    await server.stop();
    expect(existsSync(folder)).toBe(false);
  });
});

describe("a frozen server", () => {
  test("can be stopped all the same", async () => {
    const server = await start();
    const { pid } = server;
    server.kill("SIGSTOP");
    await server.stop();
    expect(isProcessRunning(pid)).toBe(false);
  });
});

describe("a start that fails", () => {
  const failed = async (options: StartNatsServerOptions): Promise<NatsServerStartError> => {
    const error: unknown = await start(options).catch((reason: unknown) => reason);
    if (!(error instanceof NatsServerStartError)) throw error;
    expect(error.code).toBe("weft_nats_server_start");
    expect(error.message).toContain(error.log.trim());
    return error;
  };

  test("on a taken port says so with the server's own words", async () => {
    const { port } = await hold(0);
    const error = await failed({ port });
    expect(error.message).toContain("did not start: it exited with 1");
    expect(error.log).toContain("address already in use");
  });

  test("on a mistake in the configuration says which", async () => {
    expect((await failed({ config: "max_payload: {" })).log).toMatch(/Parse error on line \d+/);
  });

  test("leaves no process and no file behind, also when the server never gets ready", async () => {
    const folder = temporaryFolder();
    const pidPath = join(folder, "pid");
    const stuck = writeScript(
      join(folder, "nats-server"),
      `[ "$1" = --version ] && echo "nats-server: v2.15.1" && exit\necho $$ > ${pidPath}\nexec sleep 600`,
    );
    const temporary = join(folder, "tmp");
    mkdirSync(temporary);
    vi.stubEnv("TMPDIR", temporary);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const error = await failed({ binary: stuck, storeDir: join(folder, "store"), readyTimeoutMs: 1000 });
    expect(error.message).toContain("it was not ready within 1000 ms");
    expect(readdirSync(temporary)).toEqual([]);
    expect(isProcessRunning(Number(readFileSync(pidPath, "utf8")))).toBe(false);
  });

  test("with a binary that is too old or none at all is no start", async () => {
    const folder = temporaryFolder();
    const old = writeFakeServer(join(folder, "nats-server"), "2.11.9");
    await expect(start({ binary: old })).rejects.toThrow(NatsServerTooOldError);
    await expect(start({ binary: join(folder, "none") })).rejects.toThrow(NatsServerUnusableError);
  });
});
