import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** A folder that is removed when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "weft-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An executable shell script. */
export function writeScript(path: string, body: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** What answers `--version` like a nats-server does, and nothing else. */
export function writeFakeServer(path: string, version: string): string {
  return writeScript(path, fakeServerBody(version));
}

export function fakeServerBody(version: string): string {
  return `[ "$1" = --version ] && echo "nats-server: v${version}"`;
}

/** A PATH of one folder with only the named programs of this machine on it, and the given scripts. */
export function makePath(tools: readonly string[], scripts: Readonly<Record<string, string>> = {}): string {
  const folder = temporaryFolder();
  for (const tool of tools) {
    const found = (process.env.PATH ?? "")
      .split(":")
      .map((entry) => join(entry, tool))
      .find(existsSync);
    if (found === undefined) throw new Error(`this test needs ${tool}`);
    symlinkSync(found, join(folder, tool));
  }
  for (const [name, body] of Object.entries(scripts)) writeScript(join(folder, name), body);
  return folder;
}

export type ReleaseArchive = { readonly bytes: Buffer; readonly asset: string };

/** A release archive as nats-server's releases are laid out, with a fake server in it. */
export function packRelease(version: string, platform: string): ReleaseArchive {
  const folder = mkdtempSync(join(tmpdir(), "weft-test-"));
  try {
    const stem = `nats-server-v${version}-${platform}`;
    writeFakeServer(join(folder, stem, "nats-server"), version);
    const asset = `${stem}.tar.gz`;
    const packed = spawnSync("tar", ["-czf", asset, stem], { cwd: folder });
    if (packed.status !== 0) throw new Error(`tar failed: ${packed.stderr}`);
    return { bytes: readFileSync(join(folder, asset)), asset };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for a condition; fails with what it waited for. */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await delay(5);
  }
}

export type ServerInfo = {
  readonly version: string;
  readonly jetstream?: boolean;
  readonly server_name: string;
};

/** The greeting of a NATS server. */
export async function readInfo(port: number): Promise<ServerInfo> {
  const line = await converse(port, "", (text) => text.includes("\r\n"));
  return JSON.parse(line.slice("INFO ".length)) as ServerInfo;
}

const requestTriesMax = 8;

/**
 * Sends a request to JetStream's API and returns the answer, without a client library. A cluster drops requests without
 * a word while it elects a leader, which has been seen right after a start too: so it is repeated, as any client must.
 */
export async function jetStreamRequest(port: number, subject: string, body: unknown): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await requestOnce(port, subject, body);
    } catch (error) {
      if (!(error instanceof NoAnswerError) || attempt === requestTriesMax) throw error;
    }
  }
}

class NoAnswerError extends Error {}

async function requestOnce(port: number, subject: string, body: unknown): Promise<unknown> {
  const payload = JSON.stringify(body);
  const commands = [
    'CONNECT {"verbose":false,"headers":true,"no_responders":true}',
    "SUB reply 1",
    `PUB $JS.API.${subject} reply ${Buffer.byteLength(payload)}`,
    payload,
    "",
  ];
  const isWhole = (text: string): boolean => /\nH?MSG reply .*\r\n[\s\S]*\r\n$/.test(text);
  const text = await converse(port, commands.join("\r\n"), isWhole);
  const answer = /\nMSG reply .*\r\n([\s\S]*)\r\n$/.exec(text)?.[1];
  if (answer === undefined) throw new Error(`no JetStream answered: ${text}`);
  return JSON.parse(answer);
}

function converse(port: number, commands: string, isDone: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket
      .setEncoding("utf8")
      .setTimeout(5_000, () => socket.destroy(new NoAnswerError(`no answer, only: ${text}`)));
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (!isDone(text)) return;
      socket.destroy();
      resolve(text);
    });
    socket.once("error", reject);
    socket.once("end", () => reject(new Error(`hung up after: ${text}`)));
    socket.write(commands);
  });
}
