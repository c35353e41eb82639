/** Real servers: one, or a cluster of three. */
import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { Identity, InstanceId } from "@weft/protocol";
import type { NatsCluster, NatsServer } from "@weft/testing";
import { closeConnection, openConnection, type SystemConnection } from "@weft/transport";
import type { StreamSetup, Target, TestConnection } from "./target.ts";
import { TcpRelay } from "./tcp-relay.ts";

export class RealTarget implements Target {
  readonly replicas: 1 | 3;
  private readonly cluster: NatsCluster | undefined;
  private readonly servers: readonly NatsServer[];
  private readonly ends: (() => unknown)[] = [];
  private connections = 0;
  private own: SystemConnection | null = null;

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
      flush: () => connection.nats.flush(),
      cut: ({ mutedMs, downMs }) => {
        if (mutedMs > 0) relay.mute();
        connection.clock.after(mutedMs, () => relay.cut());
        connection.clock.after(mutedMs + downMs, () => relay.restore());
      },
    };
  }

  async createStream(name: string, setup: Partial<StreamSetup> = {}): Promise<void> {
    await (await this.manager()).streams.add({
      name,
      subjects: [...(setup.subjects ?? [`${name}.>`])],
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
    if (this.own !== null) await closeConnection(this.own);
  }

  private async manager(): Promise<JetStreamManager> {
    const servers = this.servers.map(({ url }) => url);
    this.own ??= await openConnection(Identity.parse("setup"), InstanceId.create(), { servers });
    return jetstreamManager(this.own.nats);
  }
}
