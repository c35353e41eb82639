/** What the figures were taken on. */
import { readFileSync } from "node:fs";
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

export type Versions = Readonly<Record<"weft" | "node" | "nats_server" | "nats_js", string>>;

export function versions(natsServer: string): Versions {
  return {
    weft: versionIn(new URL("../package.json", import.meta.url)),
    node: process.versions.node,
    nats_server: natsServer,
    nats_js: versionIn(new URL(import.meta.resolve("@nats-io/transport-node/package.json"))),
  };
}

function versionIn(packageFile: URL): string {
  const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version?: unknown };
  return String(version);
}
