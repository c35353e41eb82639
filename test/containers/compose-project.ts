/** docker-compose.yml brought up under a name of its own, beside whatever else the engine runs. */
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@weft/testing";
import { docker } from "./engine.ts";
import { NATS_IMAGE, WEFT_IMAGE } from "./local-images.ts";

const FILE = fileURLToPath(new URL("../../docker-compose.yml", import.meta.url));
const HEALTHY_WITHIN_MS = 120_000;

export type Container = {
  readonly Service: string;
  readonly ID: string;
  readonly State: string;
  readonly Health: string;
  readonly Ports: string;
};

export class ComposeProject {
  readonly port: number;
  private readonly name = `weft-test-${process.pid}`;

  static async create(): Promise<ComposeProject> {
    return new ComposeProject(await freePort());
  }

  private constructor(port: number) {
    this.port = port;
  }

  /** Where clients on this host find NATS. */
  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    return docker(["compose", "--ansi", "never", "--project-name", this.name, "--file", FILE, ...args], {
      WEFT_IMAGE,
      WEFT_NATS_IMAGE: NATS_IMAGE,
      WEFT_NATS_PORT: String(this.port),
      WEFT_HEALTH_INTERVAL: "2s",
      ...env,
    });
  }

  /** One of each, but for what is named with its number. */
  async up(
    scale: Readonly<Record<string, number>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const replicas = Object.entries(scale).flatMap(([service, count]) => ["--scale", `${service}=${count}`]);
    await this.run(["up", "--detach", "--no-build", ...replicas], env);
  }

  /** Without its volumes the log stays. */
  async down(options: { readonly volumes: boolean }): Promise<void> {
    await this.run(["--profile", "tools", "down", ...(options.volumes ? ["--volumes"] : [])]);
  }

  async containers(): Promise<readonly Container[]> {
    const text = await this.run(["ps", "--all", "--format", "json"]);
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .flatMap((line): readonly Container[] => JSON.parse(line));
  }

  async untilHealthy(count: number): Promise<void> {
    let all: readonly Container[] = [];
    const healthy = async (): Promise<boolean> => {
      all = await this.containers();
      const running = all.filter(({ State }) => State === "running");
      return running.length === count && running.every(({ Health }) => Health === "healthy");
    };
    await waitUntil(healthy, {
      what: `${count} healthy containers`,
      timeoutMs: HEALTHY_WITHIN_MS,
      story: () => all.map(({ Service, State, Health }) => `${Service} ${State} ${Health}`).join("\n"),
    });
  }

  /** What the containers have printed, for the message of a failed test. */
  logs(): Promise<string> {
    return this.run(["logs", "--no-color", "--tail", "50"]);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
