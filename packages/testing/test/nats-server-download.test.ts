import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { downloadRelease, releasePlatform } from "../src/nats-server/download.ts";
import { NatsServerNotFoundError } from "../src/nats-server/errors.ts";
import { findNatsServer } from "../src/nats-server/finder.ts";
import type { PinnedRelease } from "../src/nats-server/pinned-release.ts";
import { pinnedRelease } from "../src/nats-server/pinned-release.ts";
import { makePath, packRelease, temporaryFolder } from "./nats-server-support.ts";

const version = "2.14.9";
const unpackTools = ["sh", "tar", "gzip"];

/** Serves on loopback until the test is over; returns its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves files by path; anything else is not found. */
function serveFiles(files: Readonly<Record<string, Buffer | string>>): Promise<string> {
  return serve((request, response) => {
    const content = files[request.url ?? ""];
    response.statusCode = content === undefined ? 404 : 200;
    response.end(content);
  });
}

function sum(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function environment(settings: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PATH: makePath(unpackTools), WEFT_CACHE: temporaryFolder(), ...settings };
}

async function downloadFailure(env: NodeJS.ProcessEnv, release: PinnedRelease): Promise<string> {
  const error: unknown = await findNatsServer({ env, release }).then(
    (found) => expect.fail(`found ${found.path}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof NatsServerNotFoundError)) throw error;
  return error.attempts.find(({ way }) => way === "download")?.reason ?? "";
}

function leftInCache(env: NodeJS.ProcessEnv): readonly string[] {
  return readdirSync(join(env.WEFT_CACHE ?? "", "nats-server"));
}

describe("a release download", () => {
  const { bytes, asset } = packRelease(version, releasePlatform());
  const path = `/v${version}/${asset}`;
  const pinned: PinnedRelease = { version, sha256: { [asset]: sum(bytes) } };
  const unpinned: PinnedRelease = { version, sha256: {} };

  test("with the pinned checksum is unpacked into the cache and found there again", async () => {
    const env = environment({ WEFT_NATS_DOWNLOAD: await serveFiles({ [path]: bytes }) });
    const found = await findNatsServer({ env, release: pinned });
    expect(found).toMatchObject({ version, way: "download" });
    expect(found.path.startsWith(join(env.WEFT_CACHE ?? "", "nats-server"))).toBe(true);
    expect(leftInCache(env)).toEqual([`v${version}-${process.platform}-${process.arch}`]);
    expect(await findNatsServer({ env, release: pinned })).toEqual({ ...found, way: "cache" });
  });

  test("with another checksum is refused, with both named, and leaves nothing", async () => {
    const other = packRelease(version, "other-platform").bytes;
    const env = environment({ WEFT_NATS_DOWNLOAD: await serveFiles({ [path]: other }) });
    const reason = await downloadFailure(env, pinned);
    expect(reason).toContain(sum(other));
    expect(reason).toContain(sum(bytes));
    expect(leftInCache(env)).toEqual([]);
  });

  test("that breaks off half way leaves nothing", async () => {
    const half = bytes.subarray(0, bytes.length / 2);
    const WEFT_NATS_DOWNLOAD = await serve((_request, response) => {
      response.writeHead(200, { "content-length": bytes.length });
      response.write(half, () => response.destroy());
    });
    const env = environment({ WEFT_NATS_DOWNLOAD });
    expect(await downloadFailure(env, pinned)).toMatch(/terminated|closed/);
    expect(leftInCache(env)).toEqual([]);
  });

  test("that does not exist says so", async () => {
    const env = environment({ WEFT_NATS_DOWNLOAD: `${await serveFiles({})}/` });
    expect(await downloadFailure(env, pinned)).toBe(
      `${env.WEFT_NATS_DOWNLOAD}v${version}/${asset} answered 404`,
    );
  });

  test("without a pinned checksum is verified against the SHA256SUMS of its release", async () => {
    const lines = [`${"0".repeat(64)}  other.tar.gz`, `${sum(bytes)}  ${asset}`, ""];
    const sums = { [`/v${version}/SHA256SUMS`]: lines.join("\n") };
    const env = environment({ WEFT_NATS_DOWNLOAD: await serveFiles({ [path]: bytes, ...sums }) });
    expect(await findNatsServer({ env, release: unpinned })).toMatchObject({ version, way: "download" });

    const tampered = environment({ WEFT_NATS_DOWNLOAD: await serveFiles({ [path]: "tampered", ...sums }) });
    expect(await downloadFailure(tampered, unpinned)).toContain(`${sum(bytes)} was expected`);
    expect(leftInCache(tampered)).toEqual([]);
  });

  test("that the SHA256SUMS of its release do not list is refused", async () => {
    const sums = { [`/v${version}/SHA256SUMS`]: `${sum(bytes)}  other-${asset}\n` };
    const env = environment({ WEFT_NATS_DOWNLOAD: await serveFiles({ [path]: bytes, ...sums }) });
    expect(await downloadFailure(env, unpinned)).toContain(`does not list ${asset}`);
  });

  test("believes checksums only over HTTPS or from this machine", async () => {
    const local = await serveFiles({ [`/v${version}/SHA256SUMS`]: `${sum(bytes)}  ${asset}`, [path]: bytes });
    // Leads to this machine as well, but is not known as an address of it.
    const env = environment({ WEFT_NATS_DOWNLOAD: local.replace("127.0.0.1", "0.0.0.0") });
    expect(await downloadFailure(env, unpinned)).toContain("is not HTTPS");
  });

  test("from a server that accepts and says nothing is given up soon", async () => {
    const baseUrl = await serve(() => undefined);
    const folder = temporaryFolder();
    const attempt = downloadRelease({ baseUrl, release: pinned, folder, env: {}, answerTimeoutMs: 50 });
    await expect(attempt).rejects.toThrow(`${baseUrl}${path} did not answer for 50 ms`);
  });

  test("may be made by several processes at once", { timeout: 40_000 }, async () => {
    const WEFT_NATS_DOWNLOAD = await serveFiles({ [path]: bytes });
    const env = environment({ WEFT_NATS_DOWNLOAD });
    const finder = new URL("../src/nats-server/finder.ts", import.meta.url).href;
    const program = `
      import { findNatsServer } from ${JSON.stringify(finder)};
      console.log((await findNatsServer({ release: ${JSON.stringify(pinned)} })).path);`;
    const run = promisify(execFile);
    const settings = { env: { ...env, NODE_OPTIONS: "" } };
    const outputs = await Promise.all(
      Array.from({ length: 3 }, () =>
        run(process.execPath, ["--input-type=module", "--eval", program], settings),
      ),
    );
    const paths = new Set(outputs.map(({ stdout }) => stdout.trim()));
    expect(paths.size).toBe(1);
    expect([...paths].every(existsSync)).toBe(true);
    expect(leftInCache(env)).toEqual([`v${version}-${process.platform}-${process.arch}`]);
  });
});

describe("the pinned release", () => {
  test("has a checksum of its own for every Linux that Node runs on", () => {
    const architectures = ["amd64", "arm64", "arm7", "ppc64le", "s390x"];
    for (const architecture of architectures) {
      const asset = `nats-server-v${pinnedRelease.version}-linux-${architecture}.tar.gz`;
      expect(pinnedRelease.sha256[asset]).toMatch(/^[0-9a-f]{64}$/);
    }
    const sums = Object.values(pinnedRelease.sha256);
    expect(new Set(sums).size).toBe(sums.length);
  });
});
