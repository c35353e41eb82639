/** For machines without namespaces: a proxy between each party and each NATS node. The nodes reach each other directly. */
import { type NatsCluster, startNatsCluster } from "@weft/testing";
import type { Dice } from "@weft/testing/simulation";
import type { Harm, HarmKind, Network, Place } from "./network.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const RETRANSMIT_MS = 250;

export class ProxyNetwork implements Network {
  readonly title: string;
  readonly kinds: readonly HarmKind[] = ["cut", "slow", "stall", "drop"];
  readonly disk = null;
  private readonly wrap: readonly string[];
  private readonly dice: Dice;
  private readonly proxies = new Map<string, readonly TcpProxy[]>();
  private nodes: NatsCluster | null = null;

  /** `wrap` is what each process is started through. */
  constructor(wrap: readonly string[], why: string, dice: Dice) {
    this.wrap = wrap;
    this.dice = dice;
    this.title = `proxies (namespaces: ${why})`;
  }

  get parties(): readonly string[] {
    return [...this.proxies.keys()];
  }

  async startNodes(count: number): Promise<NatsCluster> {
    // Nodes that tell clients of each other would lead them around the proxies.
    this.nodes = await startNatsCluster(count, { advertise: false });
    return this.nodes;
  }

  async join(party: string): Promise<Place> {
    const servers = this.nodes?.servers ?? [];
    const proxies = await Promise.all(
      servers.map(({ port }) => TcpProxy.open({ host: "127.0.0.1", port }, this.dice.fork())),
    );
    this.proxies.set(party, proxies);
    return { through: this.wrap, urls: proxies.map(({ port }) => `nats://127.0.0.1:${port}`) };
  }

  async harm(kind: HarmKind, party: string, dice: Dice): Promise<Harm> {
    const proxies = this.proxies.get(party) ?? [];
    const mend = async (): Promise<void> => {
      for (const proxy of proxies) proxy.mend();
    };
    switch (kind) {
      case "cut":
        for (const proxy of proxies) proxy.cut();
        return { what: `cut ${party} off NATS`, mend };
      case "stall":
        for (const proxy of proxies) proxy.stall();
        return { what: `stall the connections of ${party}, half open`, mend };
      case "drop":
        for (const proxy of proxies) proxy.drop();
        return { what: `drop the connections of ${party}`, mend };
      case "slow": {
        const delayMs = Math.round(dice.between(5, 150));
        const loss = dice.between(0.005, 0.08);
        for (const proxy of proxies) proxy.slow({ delayMs, loss, retransmitMs: RETRANSMIT_MS });
        return {
          what: `slow the network of ${party}: ${delayMs} ms of delay, ${(loss * 100).toFixed(1)} % lost`,
          mend,
        };
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.proxies.values()].flat().map((proxy) => proxy.close()));
  }
}
