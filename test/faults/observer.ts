/** Listens to the cluster's own events for who leads and which workers were noticed to be gone, and tends its log. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";

type Fields = Readonly<Record<string, unknown>>;

const LOG = "WEFT_default_0";
const RESTORE_AGAIN_MS = 500;

export class Observer {
  private readonly nats: NatsConnection;
  /** The process that leads, by the last word of it. */
  leaderPid: number | null = null;
  electedAtMs = 0;
  elections = 0;
  private readonly lostAtMs = new Map<string, number>();

  static async open(servers: readonly string[]): Promise<Observer> {
    const nats = await connect({
      servers: [...servers],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      pingInterval: 1_000,
      maxPingOut: 2,
    });
    const observer = new Observer(nats);
    await nats.flush();
    return observer;
  }

  private constructor(nats: NatsConnection) {
    this.nats = nats;
    this.listen("weft.v1.default.event.coordinator.elected", ({ pid }) => {
      if (typeof pid !== "number") return;
      this.leaderPid = pid;
      this.electedAtMs = performance.now();
      this.elections++;
    });
    this.listen("weft.v1.default.event.worker.lost", ({ worker }) => {
      if (typeof worker === "string") this.lostAtMs.set(worker, performance.now());
    });
  }

  /** When the worker was noticed to be gone since then; undefined while it was not: it may have been silent before. */
  lostAt(worker: string, sinceMs: number): number | undefined {
    const atMs = this.lostAtMs.get(worker);
    return atMs === undefined || atMs < sinceMs ? undefined : atMs;
  }

  /** Leaves the log so many bytes; what it returns gives it back what it had. */
  async shrinkLog(bytesLeft: number): Promise<() => Promise<void>> {
    const manager = await jetstreamManager(this.nats, { checkAPI: false });
    const { config, state } = await manager.streams.info(LOG);
    const { max_bytes } = config;
    const change = async (bytes: number): Promise<void> => {
      await manager.streams.update(LOG, { max_bytes: bytes });
    };
    await change(state.bytes + bytesLeft);
    return async () => {
      for (;;) {
        try {
          return await change(max_bytes);
        } catch (error) {
          if (this.nats.isClosed()) throw error;
          await new Promise((again) => setTimeout(again, RESTORE_AGAIN_MS));
        }
      }
    };
  }

  /** What the log is made of right now, for the story; null where nobody answers. */
  async logState(): Promise<{ readonly messages: number; readonly bytes: number } | null> {
    try {
      const manager = await jetstreamManager(this.nats, { checkAPI: false });
      const { state } = await manager.streams.info(LOG);
      return { messages: state.messages, bytes: state.bytes };
    } catch {
      return null;
    }
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
