/** docker-compose.yml as people use it: up, tasks through it, more of each, some of them killed, down and up again. */
import { fileURLToPath } from "node:url";
import { type Client, connect } from "@weft/client";
import { waitUntil } from "@weft/testing";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { runWeft } from "../fixtures/process.ts";
import { ComposeProject } from "./compose-project.ts";
import { docker, noCompose, titleOf } from "./engine.ts";
import { buildNatsImage, buildWeftImage, removeImages } from "./local-images.ts";

const ourTasks = { WEFT_TASKS: fileURLToPath(new URL("tasks", import.meta.url)) };

describe.skipIf(noCompose !== null)(titleOf("docker-compose.yml", noCompose), () => {
  let cluster: ComposeProject;

  const open = (): Promise<Client> => connect({ servers: cluster.url });
  const tellLogs = (): void => onTestFailed(async () => console.error(await cluster.logs()));

  beforeAll(async () => {
    cluster = await ComposeProject.create();
    await buildNatsImage();
    await buildWeftImage();
    await cluster.up();
  });
  afterAll(async () => {
    await cluster?.down({ volumes: true });
    await removeImages();
  });

  test("comes up healthy, with nothing published but the port for clients, on the loopback address", async () => {
    tellLogs();
    await cluster.untilHealthy(3);
    const all = await cluster.containers();
    expect(all.map(({ Service, State }) => `${Service} ${State}`).toSorted()).toEqual([
      "coordinator running",
      "init exited",
      "nats running",
      "worker running",
    ]);
    // What is published has an arrow; what is merely listed is a port of the image.
    const published = all.flatMap(({ Ports }) => Ports.split(", ").filter((each) => each.includes("->")));
    expect(published).toEqual([`127.0.0.1:${cluster.port}->4222/tcp`]);
  });

  test("runs the example for a client on the host, and for a person in a container", async () => {
    tellLogs();
    await using weft = await open();
    const counts = [10, 1_000].map((limit) => weft.submit<number>("count-primes", limit));
    expect(await weft.submit("total", undefined, { dependsOn: counts }).result()).toBe(4 + 168);
    const command = ["submit", "count-primes", "100", "--watch"];
    const printed = await cluster.run(["run", "--rm", "--no-deps", "-T", "weft", ...command]);
    expect(printed.trim()).toBe("25");
  });

  test("runs the tasks of another folder, as nobody, who can write in /tmp alone", async () => {
    tellLogs();
    await cluster.up({}, ourTasks);
    await using weft = await open();
    expect(await weft.submit("surroundings").result()).toEqual({
      user: 10_001,
      ownFolder: "EROFS",
      root: "EROFS",
      temporary: "written",
    });
  });

  test("scales, and what a killed worker was running succeeds on another", async () => {
    tellLogs();
    await cluster.up({ worker: 2 }, ourTasks);
    await cluster.untilHealthy(4);
    await using weft = await open();
    const handles = Array.from({ length: 4 }, () => weft.submit<string>("stuck-once"));
    const hosts = new Map<string, string>();
    for (const handle of handles) handle.onProgress(({ message }) => hosts.set(handle.id, message ?? ""));
    await waitUntil(() => hosts.size === 4 && new Set(hosts.values()).size === 2, {
      what: "tasks on both workers",
      story: () => JSON.stringify([...hosts]),
    });
    // A container's host name is the beginning of its id.
    const [killed = ""] = hosts.values();
    const lost = handles.filter(({ id }) => hosts.get(id) === killed);
    const others = handles.filter(({ id }) => hosts.get(id) !== killed);
    const [survivor = ""] = others.map(({ id }) => hosts.get(id));
    await docker(["kill", killed]);
    // What the other one runs has not been disturbed. Its end makes room for what was lost.
    await Promise.all(others.map((handle) => handle.cancel()));
    expect(await Promise.all(others.map((handle) => handle.settled()))).toEqual(
      others.map(() => expect.objectContaining({ outcome: "cancelled", attempt: 1 })),
    );
    expect(await Promise.all(lost.map((handle) => handle.settled()))).toEqual(
      lost.map(() => expect.objectContaining({ outcome: "succeeded", attempt: 2, value: survivor })),
    );
  });

  test("a second coordinator stands by, and leads when the first is killed", async () => {
    tellLogs();
    await cluster.up({ coordinator: 2 }, ourTasks);
    await cluster.untilHealthy(4);
    const leader = await leaderOf(cluster.url);
    await docker(["kill", leader]);
    await using weft = await open();
    expect(await weft.submit("double", 21).result()).toBe(42);
    expect(await leaderOf(cluster.url)).not.toBe(leader);
  });

  test("goes on when NATS is restarted, with what was in its log", async () => {
    tellLogs();
    await cluster.up({}, ourTasks);
    await using weft = await connect({ servers: cluster.url, onError: () => undefined });
    const before = weft.submit("double", 30);
    expect(await before.result()).toBe(60);
    const restarted = cluster.run(["restart", "nats"]);
    const during = weft.submit("double", 40);
    await restarted;
    expect(await during.result()).toBe(80);
    await using another = await open();
    expect(await another.handle(before.id).result()).toBe(60);
  });

  test("keeps its log when it is taken down and brought up again", async () => {
    tellLogs();
    await cluster.up({}, ourTasks);
    const { stdout } = await runWeft(["submit", "double", "50", "--watch", "--json", "--url", cluster.url]);
    const { id } = JSON.parse(stdout);
    await cluster.down({ volumes: false });
    expect(await cluster.containers()).toEqual([]);
    await cluster.up({}, ourTasks);
    await cluster.untilHealthy(3);
    await using weft = await open();
    expect(await weft.handle(id).result()).toBe(100);
  });

  test("stops its workers and coordinators gracefully", async () => {
    tellLogs();
    await cluster.run(["stop", "worker", "coordinator"]);
    const columns = ["--format", "{{.Service}} {{.ExitCode}}", "worker", "coordinator"];
    const ended = await cluster.run(["ps", "--all", ...columns]);
    expect(ended.trim().split("\n").toSorted()).toEqual(["coordinator 0", "worker 0"]);
  });
});

/** The id of the container that leads, or its beginning. */
async function leaderOf(url: string): Promise<string> {
  const { stdout } = await runWeft(["doctor", "--json", "--url", url]);
  const { checks } = JSON.parse(stdout) as { checks: readonly { name: string; message: string }[] };
  const message = checks.find(({ name }) => name === "leader")?.message ?? "";
  const [, host] = / on (\S+) /.exec(message) ?? [];
  if (host === undefined) throw new Error(`no leader is named: ${stdout}`);
  return host;
}
