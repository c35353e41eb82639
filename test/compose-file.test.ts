/** docker-compose.yml and the Dockerfile as texts: what holds on every engine, and needs none to be seen. */
import { readFileSync } from "node:fs";
import { NATS_VERSION_MIN } from "@weft/protocol";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { runWeft } from "./fixtures/process.ts";

type Service = {
  readonly image?: string;
  readonly command: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly profiles?: readonly string[];
  readonly [other: string]: unknown;
};
type ComposeFile = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

const textOf = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const text = textOf("docker-compose.yml");
const { services, volumes } = parse(text, { merge: true }) as ComposeFile;
const all = Object.entries(services);
const lasting = all.filter(([name]) => ["nats", "coordinator", "worker"].includes(name));

/** What a variable is where nobody has set it. */
const withDefaults = (value: string): string =>
  value.replaceAll(/\$\{\w+:-([^}]*)\}/g, (_, fallback) => fallback);

test("the services are NATS, a coordinator, workers, what creates the log, and a command for people", () => {
  expect(Object.keys(services).toSorted()).toEqual(["coordinator", "init", "nats", "weft", "worker"]);
  expect(services.weft?.profiles).toEqual(["tools"]);
  expect(lasting).toHaveLength(3);
});

test("nothing is published but the port for clients, on the loopback address", () => {
  const published = all.flatMap(([name, { ports = [] }]) =>
    ports.map((port) => `${name} ${withDefaults(port)}`),
  );
  expect(published).toEqual(["nats 127.0.0.1:4222:4222"]);
  expect(all.filter(([, service]) => "network_mode" in service || "privileged" in service)).toEqual([]);
});

test("a container can write nowhere but in its volumes, gains no rights, and its log cannot fill the disk", () => {
  for (const [, service] of all) {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
    expect(Object.keys(service.logging?.options ?? {}).toSorted()).toEqual(["max-file", "max-size"]);
  }
});

test("what lasts is started again when it ends, and tells whether it is well", () => {
  for (const [, { restart, healthcheck }] of lasting) {
    expect(restart).toBe("unless-stopped");
    expect(healthcheck?.test[0]).toBe("CMD");
  }
});

test("the log is on a volume that outlives the containers", () => {
  expect(Object.keys(volumes)).toEqual(["nats-data"]);
  const { command = [], volumes: mounts = [] } = services.nats ?? {};
  const folder = command[command.indexOf("--store_dir") + 1];
  expect(mounts).toContain(`nats-data:${folder}`);
  expect(command).toContain("--jetstream");
});

test("the log is created once NATS is well, and before anything uses it", () => {
  expect(services.init?.depends_on).toEqual({ nats: { condition: "service_healthy" } });
  for (const name of ["coordinator", "worker", "weft"]) {
    expect(services[name]?.depends_on).toEqual({ init: { condition: "service_completed_successfully" } });
  }
});

test("a worker may be scaled: it has no name and no port of its own, and is given longer than its grace to stop", async () => {
  expect(all.filter(([, service]) => "container_name" in service || "hostname" in service)).toEqual([]);
  const { stdout } = await runWeft(["worker", "--help"]);
  const [, graceSeconds] = /--grace.*?default: (\d+)s/s.exec(stdout) ?? [];
  expect(Number.parseInt(services.worker?.stop_grace_period ?? "", 10)).toBeGreaterThan(Number(graceSeconds));
});

test("the NATS that it names is new enough, and has the wget that its health check needs", () => {
  const image = withDefaults(services.nats?.image ?? "");
  const [, version = "", variant] = /^nats:(\d+\.\d+)-(\w+)$/.exec(image) ?? [];
  expect(variant).toBe("alpine");
  expect(version.localeCompare(NATS_VERSION_MIN, "en", { numeric: true })).toBeGreaterThan(0);
  expect(services.nats?.healthcheck?.test[1]).toBe("wget");
});

test("every variable has a default, which the table at the top tells", () => {
  const used = [...text.matchAll(/^[^#\n]*\$\{.*$/gm)].flatMap(([line]) =>
    [...line.matchAll(/\$\{(\w+)(?::-([^}]*))?\}/g)].map(([, name, fallback]) => `${name} ${fallback}`),
  );
  const told = [...text.matchAll(/^# \| (WEFT_\w+) +\| (\S+) /gm)].map(
    ([, name, fallback]) => `${name} ${fallback}`,
  );
  expect(used.toSorted()).toEqual(told.toSorted());
});

test("the image has the Node that everything is tested on, and its processes are nobody's", () => {
  const dockerfile = textOf("Dockerfile");
  const { nodeVersion } = parse(textOf("pnpm-workspace.yaml")) as { nodeVersion: string };
  const [, major] = /^ARG NODE_IMAGE=node:(\d+)-slim$/m.exec(dockerfile) ?? [];
  expect(nodeVersion.split(".")[0]).toBe(major);
  const last = dockerfile.split(/^FROM /m).at(-1) ?? "";
  expect(last).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
});
