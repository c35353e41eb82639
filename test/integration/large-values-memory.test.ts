/** A value of 200 MB there and back: what it costs a coordinator that relays it, each party in a process of its own. */
import { existsSync, readFileSync } from "node:fs";
import { connect } from "@weft/client";
import { type NatsServer, startNatsServer } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startWeft, type WeftProcess } from "../fixtures/process.ts";

const file = new URL("../fixtures/large-tasks.ts", import.meta.url).pathname;
const BYTES = 200_000_000;
/** What a coordinator may take beyond what it took before, at any moment. */
const GROWTH_MIB_MAX = 150;
let server: NatsServer;
const running: WeftProcess[] = [];

beforeEach(async () => {
  server = await startNatsServer();
});
afterEach(async () => {
  for (const each of running.splice(0)) {
    each.kill("SIGKILL");
    await each.exited;
  }
  await server.stop();
});

function start(...args: string[]): WeftProcess {
  const started = startWeft([...args, "--url", server.url]);
  running.push(started);
  return started;
}

/** The most memory that a process has had, in MiB. */
function peakMib(pid: number): number {
  const [, kib = ""] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}

test("200 MB travel as argument, as result and to a dependent, and the coordinator never holds them", {
  timeout: 120_000,
}, async () => {
  const coordinator = start("coordinator", "--create");
  await coordinator.printed("leads");
  await start("worker", file, "--slots", "2").printed("ready");
  await using weft = await connect({ servers: server.url });
  // What JIT and buffers take is there before it is measured.
  await weft.submit<Uint8Array>("inline-echo", new Uint8Array(20_000_000)).result();
  const isLinux = existsSync("/proc/self/status");
  const beforeMib = isLinux ? peakMib(coordinator.pid) : 0;
  const bytes = new Uint8Array(BYTES);
  for (let i = 0; i < BYTES; i += 1_000) bytes[i] = (i / 1_000) % 251;
  const made = weft.submit<Uint8Array>("inline-echo", bytes);
  const told = weft.submit<string[]>("inline-digests", undefined, { dependsOn: [made] });
  const [result, digests] = await Promise.all([made.result(), told.result()]);
  expect(Buffer.compare(result, bytes)).toBe(0);
  expect(digests).toHaveLength(1);
  if (isLinux) expect(peakMib(coordinator.pid) - beforeMib).toBeLessThan(GROWTH_MIB_MAX);
});
