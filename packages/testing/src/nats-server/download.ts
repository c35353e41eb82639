import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { endianness } from "node:os";
import { join } from "node:path";
import { executableName } from "./cache.ts";
import { runCommand } from "./command.ts";
import type { PinnedRelease } from "./pinned-release.ts";

export const releaseBaseUrl = "https://github.com/nats-io/nats-server/releases/download";

export type DownloadOptions = {
  /** Where the folders of the releases are: `BASE/v2.14.7/nats-server-v2.14.7-linux-amd64.tar.gz`. */
  readonly baseUrl: string;
  readonly release: PinnedRelease;
  /** An empty folder for the archive and what is in it. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** How long a server may take to answer at all. @default 4000 */
  readonly answerTimeoutMs?: number;
};

/** Short, so that a machine without a way out tries the next source soon. */
const answerTimeoutMsDefault = 4_000;
/** How long a download may stand still. */
const stallTimeoutMs = 15_000;
const unpackTimeoutMs = 60_000;
const archiveBytesMax = 128 * 1024 * 1024;
const sumsBytesMax = 1024 * 1024;

/**
 * Downloads, verifies and unpacks a release for this platform; returns the path of the binary.
 *
 * Verified against the pinned SHA-256, or, for a platform without one, against the SHA256SUMS of the same release,
 * which is taken over HTTPS (or from this machine) only. Nothing is unpacked before it is verified.
 */
export async function downloadRelease(options: DownloadOptions): Promise<string> {
  const { release, folder, env } = options;
  const stem = `nats-server-v${release.version}-${releasePlatform()}`;
  const asset = `${stem}${process.platform === "win32" ? ".zip" : ".tar.gz"}`;
  const releaseUrl = `${options.baseUrl.replace(/\/+$/, "")}/v${release.version}`;
  const answerTimeoutMs = options.answerTimeoutMs ?? answerTimeoutMsDefault;
  const expected =
    release.sha256[asset] ?? (await publishedSum(`${releaseUrl}/SHA256SUMS`, asset, answerTimeoutMs));
  const archive = join(folder, asset);
  const actual = await save(`${releaseUrl}/${asset}`, archive, answerTimeoutMs);
  if (actual !== expected) {
    throw new Error(`${releaseUrl}/${asset} has the SHA-256 ${actual}, ${expected} was expected`);
  }
  // bsdtar, the tar of Windows and macOS, reads zip archives as well.
  await runCommand("tar", ["-xf", archive, "-C", folder], { env, timeoutMs: unpackTimeoutMs });
  return join(folder, stem, executableName);
}

/** The platform as the releases spell it, such as `linux-amd64`. */
export function releasePlatform(): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  return `${system}-${releaseArchitecture()}`;
}

function releaseArchitecture(): string {
  switch (process.arch) {
    case "x64":
      return "amd64";
    case "ia32":
      return "386";
    case "arm":
      return "arm7";
    case "ppc64":
      return endianness() === "LE" ? "ppc64le" : "ppc64";
    default:
      return process.arch;
  }
}

async function publishedSum(url: string, asset: string, answerTimeoutMs: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of read(url, { answerTimeoutMs, bytesMax: sumsBytesMax, trusted: true })) {
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  for (const line of text.split("\n")) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === asset && sum !== undefined && /^[0-9a-f]{64}$/.test(sum)) return sum;
  }
  throw new Error(`${url} does not list ${asset}`);
}

/** Saves a URL as a file and returns the SHA-256 of what was saved. */
async function save(url: string, path: string, answerTimeoutMs: number): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "wx");
  try {
    for await (const chunk of read(url, { answerTimeoutMs, bytesMax: archiveBytesMax, trusted: false })) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

type ReadOptions = {
  readonly answerTimeoutMs: number;
  readonly bytesMax: number;
  /** The content itself is believed: nothing on the way may have changed it. */
  readonly trusted: boolean;
};

async function* read(url: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
  const abort = new AbortController();
  const giveUpAfter = (ms: number, what: string): NodeJS.Timeout =>
    setTimeout(() => abort.abort(new Error(`${url} ${what} for ${ms} ms`)), ms);
  let timer = giveUpAfter(options.answerTimeoutMs, "did not answer");
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    if (options.trusted) refuseUntrusted(response.url);
    clearTimeout(timer);
    timer = giveUpAfter(stallTimeoutMs, "sent nothing");
    let byteCount = 0;
    for await (const chunk of response.body) {
      timer.refresh();
      byteCount += chunk.byteLength;
      if (byteCount > options.bytesMax) throw new Error(`${url} is larger than ${options.bytesMax} bytes`);
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

function refuseUntrusted(url: string): void {
  const { protocol, hostname } = new URL(url);
  const local = hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  if (protocol !== "https:" && !local)
    throw new Error(`${url} is not HTTPS, so its checksums cannot be believed`);
}
