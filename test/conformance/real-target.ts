/** Real servers: one, or a cluster of three. */
import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { headers, type MsgHdrs } from "@nats-io/transport-node";
import { Identity, InstanceId } from "@weft/protocol";
import { type NatsCluster, type NatsServer, waitUntil } from "@weft/testing";
import { closeConnection, openConnection, type SystemConnection } from "@weft/transport";
import type { StreamSetup, Target, TestConnection } from "./target.ts";
import { TcpRelay } from "./tcp-relay.ts";

export class RealTarget implements Target {
  readonly replicas: 1 | 3;
  private readonly cluster: NatsCluster | undefined;
  private readonly servers: readonly NatsServer[];
  private readonly ends: (() => unknown)[] = [];
  private connections = 0;
  private flushes = 0;
  private own: SystemConnection | null = null;
  private probes: Promise<readonly SystemConnection[]> | null = null;

  constructor(servers: readonly NatsServer[], cluster?: NatsCluster) {
    this.cluster = cluster;
    this.servers = servers;
    this.replicas = servers.length === 1 ? 1 : 3;
  }

  async connect(): Promise<TestConnection> {
    const ports = this.servers.map(({ port }) => port);
    const first = this.connections++ % ports.length;
    const relay = await TcpRelay.start([...ports.slice(first), ...ports.slice(0, first)]);
    const connection = await openConnection(Identity.parse("case"), InstanceId.create(), {
      servers: relay.url,
      // Else it would reconnect past the relay.
      nats: { ignoreClusterUpdates: true },
    });
    this.ends.push(() => connection.nats.close());
    this.ends.push(() => relay.stop());
    return {
      ...connection,
      flush: () => this.spread(connection),
      cut: ({ mutedMs, downMs }) => {
        if (mutedMs > 0) relay.mute();
        connection.clock.after(mutedMs, () => relay.cut());
        connection.clock.after(mutedMs + downMs, () => relay.restore());
      },
    };
  }

  async createStream(name: string, setup: Partial<StreamSetup> = {}): Promise<void> {
    const subjects = [...(setup.subjects ?? [`${name}.>`])];
    await (await this.manager()).streams.add({
      name,
      subjects,
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      num_replicas: this.replicas,
      max_bytes: setup.bytesMax ?? -1,
      max_msg_size: setup.messageBytesMax ?? 1024 * 1024,
      duplicate_window: 100_000_000,
      allow_direct: true,
      deny_delete: true,
      allow_rollup_hdrs: false,
    });
    // The stream refuses these, and keeps nothing of them.
    const guard = headers();
    guard.set("Nats-Expected-Stream", "none");
    for (const subject of subjects) await this.untilKnown(subject.replaceAll(/[*>]/g, "ready"), guard);
  }

  /** What it has subscribed to, and what not any more, is known at all nodes behind what it subscribes to then. */
  private async spread({ nats }: SystemConnection): Promise<void> {
    const subject = `ready.${this.flushes++}`;
    const subscription = nats.subscribe(subject, { callback: (_, message) => void message.respond() });
    await this.untilKnown(subject);
    subscription.unsubscribe();
    await nats.flush();
  }

  /** A node of a cluster may not know yet who wants messages of this subject. */
  private async untilKnown(subject: string, guard?: MsgHdrs): Promise<void> {
    for (const { nats } of await this.everywhere()) {
      const isKnown = (): Promise<boolean> =>
        nats
          .request(subject, "", { timeout: 1_000, ...(guard === undefined ? {} : { headers: guard }) })
          .then(
            () => true,
            () => false,
          );
      await waitUntil(isKnown, { what: `somebody who takes ${subject}` });
    }
  }

  /** A connection at each node. */
  private everywhere(): Promise<readonly SystemConnection[]> {
    this.probes ??= Promise.all(
      this.servers.map(({ url }) =>
        openConnection(Identity.parse("setup"), InstanceId.create(), {
          servers: url,
          nats: { ignoreClusterUpdates: true },
        }),
      ),
    );
    return this.probes;
  }

  async restart(stream: string): Promise<void> {
    const [reader] = await (await this.manager()).consumers.list(stream).next();
    const leader = this.servers.find(({ serverName }) => serverName === reader?.cluster?.leader);
    await (leader ?? this.servers[0])?.restart();
    await this.cluster?.waitUntilReady();
  }

  async loseLeader(stream: string): Promise<void> {
    const { cluster } = await (await this.manager()).streams.info(stream);
    const leader = this.servers.find(({ serverName }) => serverName === cluster?.leader);
    if (leader === undefined) throw new Error(`${stream} has no leader`);
    leader.kill();
    this.ends.push(() => leader.restart());
  }

  async end(): Promise<void> {
    for (const end of this.ends.reverse()) await end();
    for (const probe of (await this.probes) ?? []) await probe.nats.close();
    if (this.own !== null) await closeConnection(this.own);
  }

  private async manager(): Promise<JetStreamManager> {
    const servers = this.servers.map(({ url }) => url);
    this.own ??= await openConnection(Identity.parse("setup"), InstanceId.create(), { servers });
    return jetstreamManager(this.own.nats);
  }
}
