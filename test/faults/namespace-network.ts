/**
 * Each party in a network namespace of its own, joined by a bridge in the namespace of the run: a cut is a link that is
 * down (nobody is told), delay and loss are the kernel's. The run itself is in a namespace, so nothing of this is seen
 * outside, and all of it is gone with the run's last process.
 */
import { execFile } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findNatsServer, type NatsCluster, natsClusterOf, startNatsServer } from "@weft/testing";
import type { Dice } from "@weft/testing/simulation";
import type { Shaper } from "./ground.ts";
import type { Harm, HarmKind, Network, Place } from "./network.ts";
import { SmallDisk } from "./small-disk.ts";

const run = promisify(execFile);
const BRIDGE = "weft";
const NET = "10.77.0";
const FIRST_HOST = 10;
const NODE_PORT = 4222;
const ROUTE_PORT = 6222;
const MONITOR_PORT = 8222;

type Cable = { readonly device: string; readonly address: string; readonly through: readonly string[] };

export class NamespaceNetwork implements Network {
  readonly title: string;
  readonly kinds: readonly HarmKind[];
  disk: SmallDisk | null = null;
  private readonly folder: string;
  private readonly shaper: Shaper;
  private readonly cables = new Map<string, Cable>();
  private urls: readonly string[] = [];

  static async create(folder: string, shaper: Shaper): Promise<NamespaceNetwork> {
    await run("ip", ["link", "set", "lo", "up"]);
    await run("ip", ["link", "add", BRIDGE, "type", "bridge"]);
    await run("ip", ["address", "add", `${NET}.1/24`, "dev", BRIDGE]);
    await run("ip", ["link", "set", BRIDGE, "up"]);
    return new NamespaceNetwork(folder, shaper);
  }

  private constructor(folder: string, shaper: Shaper) {
    this.folder = folder;
    this.shaper = shaper;
    this.title = `network namespaces, ${shaper === "none" ? "no delay and loss" : `delay and loss by ${shaper}`}`;
    this.kinds = shaper === "none" ? ["cut"] : ["cut", "slow"];
  }

  get parties(): readonly string[] {
    return [...this.cables.keys()];
  }

  async startNodes(count: number): Promise<NatsCluster> {
    const { path } = await findNatsServer();
    const cables: Cable[] = [];
    for (let n = 1; n <= count; n++) cables.push(await this.plug(`node ${n}`));
    this.disk = await SmallDisk.mount(join(this.folder, "small-disk"));
    const routes = cables.map(({ address }) => `nats://${address}:${ROUTE_PORT}`);
    this.urls = cables.map(({ address }) => `nats://${address}:${NODE_PORT}`);
    const servers = await Promise.all(
      cables.map(async ({ device, address, through }, index) =>
        startNatsServer({
          binary: await this.script(device, [...through, path]),
          host: address,
          port: NODE_PORT,
          monitorPort: MONITOR_PORT,
          serverName: `n${index + 1}`,
          readyTimeoutMs: 60_000,
          ...(index === count - 1 && this.disk !== null ? { storeDir: this.disk.folder } : {}),
          ...(count > 1 ? { cluster: { name: "weft", port: ROUTE_PORT, routes } } : {}),
        }),
      ),
    );
    const cluster = natsClusterOf(servers);
    if (count > 1) await cluster.waitUntilReady();
    return cluster;
  }

  async join(party: string): Promise<Place> {
    const { through } = await this.plug(party);
    return { through, urls: this.urls };
  }

  async harm(kind: HarmKind, party: string, dice: Dice): Promise<Harm> {
    const device = this.cables.get(party)?.device ?? party;
    if (kind === "cut") {
      await run("ip", ["link", "set", device, "down"]);
      return {
        what: `cut ${party} off the network`,
        mend: async () => void (await run("ip", ["link", "set", device, "up"])),
      };
    }
    const { words, shape } = this.drawShape(dice);
    // Each end of the cable shapes what leaves by it.
    const ends = [
      { before: [], dev: device },
      { before: ["-netns", device], dev: "eth0" },
    ];
    const onEnds = async (verb: string, how: readonly string[]): Promise<void> => {
      await Promise.all(
        ends.map(({ before, dev }) => run("tc", [...before, "qdisc", verb, "dev", dev, "root", ...how])),
      );
    };
    await onEnds("replace", shape);
    return { what: `slow the network of ${party}: ${words}`, mend: () => onEnds("delete", []) };
  }

  async close(): Promise<void> {
    await this.disk?.unmount();
  }

  private drawShape(dice: Dice): { words: string; shape: readonly string[] } {
    if (this.shaper === "netem") {
      const delayMs = Math.round(dice.between(5, 150));
      const loss = dice.between(0.5, 8).toFixed(1);
      const shape = ["netem", "delay", `${delayMs}ms`, `${Math.round(delayMs / 3)}ms`, "loss", `${loss}%`];
      return { words: `${delayMs} ms of delay, ${loss} % lost`, shape };
    }
    // A narrow link with a short queue: what does not fit waits, and is lost where it would wait longer.
    const rateKbit = Math.round(dice.between(500, 6_000));
    const queueMs = Math.round(dice.between(10, 150));
    const shape = ["tbf", "rate", `${rateKbit}kbit`, "burst", "8kb", "latency", `${queueMs}ms`];
    return { words: `${rateKbit} kbit/s, lost after ${queueMs} ms of waiting`, shape };
  }

  private async plug(party: string): Promise<Cable> {
    const device = party.replaceAll(" ", "");
    const address = `${NET}.${FIRST_HOST + this.cables.size}`;
    await run("ip", ["netns", "add", device]);
    await run("ip", ["link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", device]);
    await run("ip", ["link", "set", device, "master", BRIDGE, "up"]);
    await run("ip", ["-netns", device, "address", "add", `${address}/24`, "dev", "eth0"]);
    await run("ip", ["-netns", device, "link", "set", "eth0", "up"]);
    await run("ip", ["-netns", device, "link", "set", "lo", "up"]);
    const cable = { device, address, through: ["nsenter", `--net=/run/netns/${device}`] };
    this.cables.set(party, cable);
    return cable;
  }

  /** A program that is one command: what runs a nats-server takes a path. */
  private async script(name: string, command: readonly string[]): Promise<string> {
    const folder = join(this.folder, "bin");
    await mkdir(folder, { recursive: true });
    const path = join(folder, `nats-server-${name}`);
    await writeFile(path, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(" ")} "$@"\n`);
    await chmod(path, 0o755);
    return path;
  }
}
