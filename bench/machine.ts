/** What the figures were taken on. */
import { existsSync, readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_mb: number;
  readonly os: string;
};

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memory_mb: Math.round(totalmem() / 1024 ** 2),
    os: `${platform()} ${release()} ${arch()}`,
  };
}

/** Of what takes part in every workload. */
export function versions(natsServer: string): Record<string, string> {
  return {
    weft: String(packageIn(new URL("../package.json", import.meta.url)).version),
    node: process.versions.node,
    nats_server: natsServer,
    nats_js: versionOf("@nats-io/transport-node"),
  };
}

/** Of an installed package; one that shows nobody its package.json has it in the folder above its code. */
export function versionOf(name: string): string {
  for (
    let folder = new URL(".", import.meta.resolve(name));
    folder.pathname !== "/";
    folder = new URL("..", folder)
  ) {
    const file = new URL("package.json", folder);
    const found = existsSync(file) ? packageIn(file) : null;
    if (found?.name === name) return String(found.version);
  }
  return "unknown";
}

type Package = { readonly name?: unknown; readonly version?: unknown };

function packageIn(file: URL): Package {
  return JSON.parse(readFileSync(file, "utf8")) as Package;
}
