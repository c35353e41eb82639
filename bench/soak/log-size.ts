/** How large the log is: read beside the processes that are measured, so that none of them pays for it. */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Namespace, Subjects } from "@weft/protocol";

export class LogSize {
  private readonly nats: NatsConnection;
  private readonly manager: JetStreamManager;

  static async open(server: string): Promise<LogSize> {
    const nats = await connect({ servers: server });
    return new LogSize(nats, await jetstreamManager(nats));
  }

  private constructor(nats: NatsConnection, manager: JetStreamManager) {
    this.nats = nats;
    this.manager = manager;
  }

  async bytes(): Promise<number> {
    const stream = new Subjects(Namespace.parse("default")).stream(0);
    return (await this.manager.streams.info(stream)).state.bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nats.close();
  }
}
