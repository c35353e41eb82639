/** Listens to the cluster's own events for who leads and which workers were noticed to be gone, and when. */
import { connect, type NatsConnection } from "@nats-io/transport-node";

type Fields = Readonly<Record<string, unknown>>;

export class Observer {
  private readonly nats: NatsConnection;
  /** The process that leads, by the last word of it. */
  leaderPid: number | null = null;
  private readonly lostAtMs = new Map<string, number>();

  static async open(servers: readonly string[]): Promise<Observer> {
    const nats = await connect({ servers: [...servers], maxReconnectAttempts: -1, reconnectTimeWait: 100 });
    const observer = new Observer(nats);
    await nats.flush();
    return observer;
  }

  private constructor(nats: NatsConnection) {
    this.nats = nats;
    this.listen("weft.v1.default.event.coordinator.elected", ({ pid }) => {
      if (typeof pid === "number") this.leaderPid = pid;
    });
    this.listen("weft.v1.default.event.worker.lost", ({ worker }) => {
      if (typeof worker === "string") this.lostAtMs.set(worker, performance.now());
    });
  }

  /** When the worker was noticed to be gone; undefined while it was not. */
  lostAt(worker: string): number | undefined {
    return this.lostAtMs.get(worker);
  }

  async close(): Promise<void> {
    await this.nats.close();
  }

  private listen(subject: string, onEvent: (fields: Fields) => void): void {
    this.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        for (const line of message.string().split("\n")) if (line !== "") onEvent(JSON.parse(line));
      },
    });
  }
}
