import { unpackAptPackage } from "./apt-package.ts";
import type { InspectedBinary } from "./binary.ts";
import { inspectBinary } from "./binary.ts";
import { cacheFolder, fetchIntoCache, findCached } from "./cache.ts";
import { findOnPath } from "./command.ts";
import { copyFromDockerImage } from "./docker-image.ts";
import { downloadRelease, releaseBaseUrl } from "./download.ts";
import type { NatsServerAttempt, NatsServerWay } from "./errors.ts";
import { NatsServerNotFoundError, reasonOf } from "./errors.ts";
import type { PinnedRelease } from "./pinned-release.ts";
import { pinnedRelease } from "./pinned-release.ts";
import { formatVersion } from "./version.ts";

export type NatsServerBinary = {
  readonly path: string;
  /** Such as `2.15.1`. */
  readonly version: string;
  /** How it was found. */
  readonly way: NatsServerWay;
};

export type FindNatsServerOptions = {
  /**
   * The variables that count: `WEFT_NATS_SERVER` (path of a binary), `PATH`, `WEFT_CACHE` (folder),
   * `WEFT_NATS_DOWNLOAD` (address of the releases). @default process.env
   */
  readonly env?: NodeJS.ProcessEnv;
  /** What is downloaded when the machine has none. @default the release that this version of Weft is pinned to */
  readonly release?: PinnedRelease;
  /** Is told in a few words what is tried when it takes longer than a moment. */
  readonly onProgress?: (message: string) => void;
};

type Search = {
  readonly env: NodeJS.ProcessEnv;
  readonly cache: string;
  readonly release: PinnedRelease;
  readonly onProgress: (message: string) => void;
};

type Way = { readonly way: NatsServerWay; readonly find: (search: Search) => Promise<InspectedBinary> };

const ways: readonly Way[] = [
  { way: "path", find: findInPath },
  { way: "cache", find: ({ cache, env }) => findCached(cache, env) },
  { way: "download", find: fetchRelease },
  { way: "package_manager", find: fetchPackage },
  { way: "docker", find: fetchImage },
];

/**
 * Finds a nats-server that is new enough, or fetches one into the cache. In this order: the path in
 * `WEFT_NATS_SERVER`, the PATH, the cache, a pinned release download, a newer suite of the machine's Debian or
 * Ubuntu mirror, a Docker image. A `WEFT_NATS_SERVER` that does not work is an error, never a reason to take another.
 *
 * @throws NatsServerNotFoundError with the reason of every way; NatsServerUnusableError or NatsServerTooOldError for
 * `WEFT_NATS_SERVER`.
 */
export async function findNatsServer(options: FindNatsServerOptions = {}): Promise<NatsServerBinary> {
  const env = options.env ?? process.env;
  const named = env.WEFT_NATS_SERVER;
  if (named !== undefined && named !== "") return found("environment", await inspectBinary(named, env));
  const search: Search = {
    env,
    cache: cacheFolder(env),
    release: options.release ?? pinnedRelease,
    onProgress: options.onProgress ?? (() => undefined),
  };
  const attempts: NatsServerAttempt[] = [{ way: "environment", reason: "not set" }];
  for (const { way, find } of ways) {
    try {
      return found(way, await find(search));
    } catch (error) {
      attempts.push({ way, reason: reasonOf(error) });
    }
  }
  throw new NatsServerNotFoundError(attempts);
}

function found(way: NatsServerWay, binary: InspectedBinary): NatsServerBinary {
  return { path: binary.path, version: formatVersion(binary.version), way };
}

async function findInPath({ env }: Search): Promise<InspectedBinary> {
  const reasons: string[] = [];
  for (const path of await findOnPath("nats-server", env)) {
    try {
      return await inspectBinary(path, env);
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  throw new Error(reasons.length === 0 ? "no nats-server on it" : reasons.join("; "));
}

function fetchRelease({ env, cache, release, onProgress }: Search): Promise<InspectedBinary> {
  const override = env.WEFT_NATS_DOWNLOAD;
  const baseUrl = override === undefined || override === "" ? releaseBaseUrl : override;
  onProgress(`downloading nats-server ${release.version}`);
  return fetchIntoCache(cache, env, (folder) => downloadRelease({ baseUrl, release, folder, env }));
}

function fetchPackage({ env, cache, onProgress }: Search): Promise<InspectedBinary> {
  onProgress("fetching nats-server from a newer suite of this machine's package mirror");
  return fetchIntoCache(cache, env, (folder) => unpackAptPackage(folder, env));
}

function fetchImage({ env, cache, release, onProgress }: Search): Promise<InspectedBinary> {
  onProgress(`copying nats-server from the Docker image nats:${release.version}`);
  return fetchIntoCache(cache, env, (folder) => copyFromDockerImage(release.version, folder, env));
}
