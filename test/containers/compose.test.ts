/** docker-compose.yml as people use it: up, a task through it, more workers, one of them killed, down and up again. */
import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { connect } from "@weft/client";
import { waitUntil } from "@weft/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runWeft } from "../fixtures/process.ts";
import { docker, noEngine } from "./engine.ts";
import { buildNatsImage, buildWeftImage, NATS_IMAGE, removeImages, WEFT_IMAGE } from "./local-images.ts";

const repository = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const project = `weft-test-${process.pid}`;
const port = randomInt(20_000, 30_000);
const url = `nats://127.0.0.1:${port}`;
const env = {
  WEFT_IMAGE,
  WEFT_NATS_IMAGE: NATS_IMAGE,
  WEFT_NATS_PORT: String(port),
  WEFT_TASKS: repository("test/containers/tasks"),
};

const compose = (...args: readonly string[]): Promise<string> =>
  docker(["compose", "--project-name", project, "--file", repository("docker-compose.yml"), ...args], env);

type Container = {
  readonly Service: string;
  readonly ID: string;
  readonly State: string;
  readonly Health: string;
  readonly Ports: string;
};

async function containers(): Promise<readonly Container[]> {
  const text = await compose("ps", "--all", "--format", "json");
  return text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line): readonly Container[] => JSON.parse(line));
}

async function untilHealthy(count: number): Promise<void> {
  const healthy = async (): Promise<boolean> => {
    const running = (await containers()).filter(({ State }) => State === "running");
    return running.length === count && running.every(({ Health }) => Health === "healthy");
  };
  await waitUntil(healthy, { what: `${count} healthy containers`, timeoutMs: 120_000 });
}

describe.skipIf(noEngine !== null)(
  `docker-compose.yml${noEngine === null ? "" : `: skipped, ${noEngine}`}`,
  () => {
    beforeAll(async () => {
      await buildNatsImage();
      await buildWeftImage();
      await compose("up", "--detach", "--no-build");
    });
    afterAll(async () => {
      await compose("--profile", "tools", "down", "--volumes", "--timeout", "5");
      await removeImages();
    });

    test("comes up healthy, with nothing published but the port for clients, on the loopback address", async () => {
      await untilHealthy(3);
      const all = await containers();
      expect(all.map(({ Service, State }) => `${Service} ${State}`).toSorted()).toEqual([
        "coordinator running",
        "init exited",
        "nats running",
        "worker running",
      ]);
      // What is published has an arrow; what is merely listed is a port of the image.
      const published = all.flatMap(({ Ports }) => Ports.split(", ").filter((each) => each.includes("->")));
      expect(published).toEqual([`127.0.0.1:${port}->4222/tcp`]);
    });

    test("runs a task for a client on the host, and one for a person in a container", async () => {
      await using weft = await connect({ servers: url });
      expect(await weft.submit("double", 21).result()).toBe(42);
      const printed = await compose(
        "run",
        "--rm",
        "--no-deps",
        "-T",
        "weft",
        "submit",
        "double",
        "4",
        "--watch",
      );
      expect(printed.trim()).toBe("8");
    });

    test("scales, and a worker that is killed loses no task", async () => {
      await compose("up", "--detach", "--no-build", "--scale", "worker=2");
      await untilHealthy(4);
      await using weft = await connect({ servers: url });
      const held = Array.from({ length: 4 }, () => weft.submit("hold"));
      const hosts = new Map<string, string>();
      for (const handle of held) handle.onProgress(({ message }) => hosts.set(handle.id, message ?? ""));
      await waitUntil(() => hosts.size === 4 && new Set(hosts.values()).size === 2, {
        what: "tasks on both workers",
      });
      // A container's host name is the beginning of its id.
      const [killed = ""] = hosts.values();
      const [lost, others] = [
        held.filter(({ id }) => hosts.get(id) === killed),
        held.filter(({ id }) => hosts.get(id) !== killed),
      ];
      await docker(["kill", killed]);
      await Promise.all(others.map((handle) => handle.cancel()));
      await waitUntil(() => lost.every(({ id }) => hosts.get(id) !== killed), {
        what: "the lost tasks on the other worker",
      });
      const ends = await Promise.all(lost.map((handle) => handle.cancel()));
      expect(ends.map(({ outcome }) => outcome)).toEqual(lost.map(() => "cancelled"));
    });

    test("keeps its log when it is taken down and brought up again", async () => {
      const before = await runWeft(["submit", "double", "50", "--url", url]);
      await compose("down", "--timeout", "45");
      await compose("up", "--detach", "--no-build");
      await untilHealthy(3);
      await using weft = await connect({ servers: url });
      expect(await weft.handle(before.stdout.trim()).result()).toBe(100);
    });

    test("stops its workers and coordinators gracefully", async () => {
      await compose("stop", "--timeout", "45", "worker", "coordinator");
      const ended = await compose(
        "ps",
        "--all",
        "--format",
        "{{.Service}} {{.ExitCode}}",
        "worker",
        "coordinator",
      );
      expect(ended.trim().split("\n").toSorted()).toEqual(["coordinator 0", "worker 0"]);
    });
  },
);
