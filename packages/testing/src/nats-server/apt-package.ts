import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findOnPath, runCommand } from "./command.ts";

// Debian and Ubuntu release a nats-server, but their stable suites ship one that is too old. The newer suite is on
// the same mirror: apt-get is pointed at it with lists, state and cache of its own, so that nothing is installed,
// no file of the system is touched, and no root is needed, while proxies, credentials and signatures work as ever.

type Distribution = {
  /** The `Origin` field of its archive. */
  readonly origin: string;
  /** The usual end of its archive's address. */
  readonly path: RegExp;
  readonly suite: string;
  readonly component: string;
  readonly keyrings: readonly string[];
};

const systemKeyrings = "/usr/share/keyrings";
const distributions: readonly Distribution[] = [
  {
    origin: "Debian",
    path: /\/debian\/*$/,
    suite: "forky",
    component: "main",
    keyrings: ["debian-archive-keyring.pgp", "debian-archive-keyring.gpg"],
  },
  {
    origin: "Ubuntu",
    path: /\/ubuntu\/*$/,
    suite: "devel",
    component: "universe",
    keyrings: ["ubuntu-archive-keyring.gpg"],
  },
];

const packageName = "nats-server";
const listTimeoutMs = 10_000;
const updateTimeoutMs = 120_000;
const downloadTimeoutMs = 120_000;
const unpackTimeoutMs = 60_000;

/** An archive that apt is configured with. */
export type AptArchive = {
  readonly url: string;
  readonly suite: string;
  /** Undefined as long as apt has not fetched its description. */
  readonly origin: string | undefined;
};

type Source = { readonly distribution: Distribution; readonly url: string };

/**
 * Downloads and unpacks the package of the newer suite into `folder`; returns the path of the binary. Its signature is
 * checked against the distribution's own keyring.
 */
export async function unpackAptPackage(
  folder: string,
  env: NodeJS.ProcessEnv,
  keyringFolder: string = systemKeyrings,
): Promise<string> {
  for (const tool of ["apt-get", "dpkg-deb"]) {
    if ((await findOnPath(tool, env)).length === 0) throw new Error(`no ${tool} on the PATH`);
  }
  const source = await findSource(env);
  const configPath = await writeConfig(folder, source, keyringFolder);
  const packages = join(folder, "packages");
  const unpacked = join(folder, "unpacked");
  await mkdir(packages);
  await runCommand("apt-get", ["update", "-c", configPath], { env, timeoutMs: updateTimeoutMs });
  await runCommand("apt-get", ["download", packageName, "-c", configPath], {
    env,
    timeoutMs: downloadTimeoutMs,
    cwd: packages,
  });
  const file = (await readdir(packages)).find((name) => name.endsWith(".deb"));
  if (file === undefined) throw new Error("apt-get download left no package");
  await runCommand("dpkg-deb", ["-x", join(packages, file), unpacked], { env, timeoutMs: unpackTimeoutMs });
  const binary = ["usr/sbin", "usr/bin"].map((bin) => join(unpacked, bin, "nats-server")).find(existsSync);
  if (binary === undefined) throw new Error(`${file} holds no nats-server`);
  return binary;
}

async function findSource(env: NodeJS.ProcessEnv): Promise<Source> {
  const settings = { env, timeoutMs: listTimeoutMs };
  const format = "$(REPO_URI)\t$(RELEASE)\t$(ORIGIN)";
  const targets = await runCommand("apt-get", ["indextargets", "--format", format], settings);
  // It lists nothing where apt has never fetched anything, as in a fresh container: then what it would fetch tells.
  const source =
    chooseSource(parseTargets(targets)) ??
    chooseSource(parseUris(await runCommand("apt-get", ["update", "--print-uris"], settings)));
  if (source === undefined) throw new Error("apt is configured with no archive of Debian or Ubuntu");
  return source;
}

/** Reads what `apt-get indextargets` printed in our format. */
export function parseTargets(text: string): readonly AptArchive[] {
  return text.split("\n").flatMap((line) => {
    const [url, suite, origin] = line.trim().split("\t");
    return url === undefined || suite === undefined ? [] : [{ url, suite, origin }];
  });
}

/** Reads what `apt-get update --print-uris` printed: `'URL/dists/SUITE/InRelease' FILE ...`. */
export function parseUris(text: string): readonly AptArchive[] {
  return [...text.matchAll(/^'(.+)\/dists\/([^']+)\/InRelease'/gm)].flatMap(([, url, suite]) =>
    url === undefined || suite === undefined ? [] : [{ url, suite, origin: undefined }],
  );
}

/** Picks the main archive of the distribution. */
export function chooseSource(archives: readonly AptArchive[]): Source | undefined {
  for (const { url, suite, origin } of archives) {
    // Security and update suites may be served from elsewhere than the newer suite is.
    if (/[-/]/.test(suite)) continue;
    const distribution = distributions.find((candidate) =>
      origin === undefined ? candidate.path.test(url) : candidate.origin === origin,
    );
    if (distribution !== undefined) return { distribution, url };
  }
  return undefined;
}

async function writeConfig(folder: string, source: Source, keyringFolder: string): Promise<string> {
  const { distribution, url } = source;
  const keyring = distribution.keyrings.map((name) => join(keyringFolder, name)).find(existsSync);
  if (keyring === undefined) throw new Error(`no ${distribution.keyrings.join(" or ")} in ${keyringFolder}`);
  const apt = join(folder, "apt");
  await mkdir(join(apt, "lists", "partial"), { recursive: true });
  await mkdir(join(apt, "archives", "partial"), { recursive: true });
  await writeFile(join(apt, "status"), "");
  const sources = [
    "Types: deb",
    `URIs: ${url}`,
    `Suites: ${distribution.suite}`,
    `Components: ${distribution.component}`,
    `Signed-By: ${keyring}`,
    "Targets: Packages",
    "Languages: none",
    "",
  ];
  await writeFile(join(apt, "nats-server.sources"), sources.join("\n"));
  const configPath = join(folder, "apt.conf");
  await writeFile(configPath, renderConfig(apt, process.getuid?.() === 0));
  return configPath;
}

function renderConfig(apt: string, isRoot: boolean): string {
  const settings: Readonly<Record<string, string>> = {
    "Dir::State": apt,
    "Dir::State::lists": join(apt, "lists"),
    "Dir::State::status": join(apt, "status"),
    "Dir::Cache": apt,
    "Dir::Cache::archives": join(apt, "archives"),
    "Dir::Etc::SourceList": join(apt, "nats-server.sources"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::Etc::Preferences": "/dev/null",
    "Dir::Etc::PreferencesParts": "/dev/null",
    // As root, apt downloads as the user _apt, who may not write into our folders.
    ...(isRoot ? { "APT::Sandbox::User": "root" } : {}),
  };
  // Hooks of the machine tidy up the system's own cache, which is not what is updated here.
  const hooks = ["Pre-Invoke", "Post-Invoke", "Post-Invoke-Success", "Post-Invoke-Stats"];
  return [
    ...hooks.map((hook) => `#clear APT::Update::${hook};`),
    ...Object.entries(settings).map(([key, value]) => `${key} ${JSON.stringify(value)};`),
    "",
  ].join("\n");
}
