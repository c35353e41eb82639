/** Real servers: one, or a cluster of three. */
import { DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { Identity, InstanceId } from "@weft/protocol";
import type { NatsServer } from "@weft/testing";
import { closeConnection, openConnection, type SystemConnection } from "@weft/transport";
import type { StreamSetup, Target, TestConnection } from "./target.ts";
import { TcpRelay } from "./tcp-relay.ts";

export class RealTarget implements Target {
  readonly replicas: 1 | 3;
  private readonly servers: readonly NatsServer[];
  private readonly ends: (() => unknown)[] = [];
  private own: SystemConnection | null = null;

  constructor(servers: readonly NatsServer[]) {
    this.servers = servers;
    this.replicas = servers.length === 1 ? 1 : 3;
  }

  async connect(): Promise<TestConnection> {
    const server = this.servers[this.ends.length % this.servers.length];
    const relay = await TcpRelay.start(server?.port ?? 0);
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
    const servers = this.servers.map(({ url }) => url);
    this.own ??= await openConnection(Identity.parse("setup"), InstanceId.create(), { servers });
    const manager = await jetstreamManager(this.own.nats);
    await manager.streams.add({
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

  async end(): Promise<void> {
    for (const end of this.ends.reverse()) await end();
    if (this.own !== null) await closeConnection(this.own);
  }
}
