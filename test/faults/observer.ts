/** Listens to the cluster's own events for who leads and which workers were noticed to be gone, and tends its log. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { decodeHello, decodeRecord, Namespace, Subjects } from "@weft/protocol";

type Fields = Readonly<Record<string, unknown>>;

/** How one leader came to follow another, by the messages that anybody can hear. */
export type LeaderChange = {
  /** When the one before wrote that it hands over; 0 where none ever did. */
  readonly resignedAtMs: number;
  /** When the one that leads sent the record that elected it. */
  readonly stoodAtMs: number;
  /** When it told workers and clients that it leads. */
  readonly ledAtMs: number;
};

export type LogState = { readonly messages: number; readonly bytes: number; readonly bytesMax: number };

const subjects = new Subjects(Namespace.parse("default"));
const LOG = subjects.stream(0);
const RESTORE_AGAIN_MS = 500;

export class Observer {
  private readonly nats: NatsConnection;
  /** The process that leads, by the last word of it. */
  leaderPid: number | null = null;
  elections = 0;
  /** The last one. */
  change: LeaderChange = { resignedAtMs: 0, stoodAtMs: 0, ledAtMs: 0 };
  private epoch = 0;
  private resignedAtMs = 0;
  private stoodAtMs = 0;
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
    this.listen(subjects.helloAll(), ({ data }) => {
      const hello = decodeHello(data);
      if (!hello.ok || hello.value.epoch <= this.epoch) return;
      this.epoch = hello.value.epoch;
      const { resignedAtMs, stoodAtMs } = this;
      this.change = { resignedAtMs, stoodAtMs, ledAtMs: performance.now() };
    });
    this.listen(`${subjects.logAll(0).slice(0, -1)}control.*`, ({ data }) => {
      const record = decodeRecord("control", data);
      if (!record.ok || record.value.type !== "control") return;
      const { type } = record.value.event;
      if (type === "elected") this.stoodAtMs = performance.now();
      else if (type === "resigned") this.resignedAtMs = performance.now();
    });
    this.listenToEvents(subjects.coordinatorEvent("elected"), ({ pid }) => {
      if (typeof pid !== "number") return;
      this.leaderPid = pid;
      this.elections++;
    });
    this.listenToEvents(subjects.workerEvent("lost"), ({ worker }) => {
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

  /** What the log is made of right now; null where its stream has no leader, which alone can say. */
  async logState(): Promise<LogState | null> {
    try {
      const manager = await jetstreamManager(this.nats, { checkAPI: false });
      const { config, state } = await manager.streams.info(LOG);
      return { messages: state.messages, bytes: state.bytes, bytesMax: config.max_bytes };
    } catch {
      return null;
    }
  }

  async close(): Promise<void> {
    await this.nats.close();
  }

  private listen(subject: string, onMessage: (message: Msg) => void): void {
    this.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) onMessage(message);
      },
    });
  }

  private listenToEvents(subject: string, onEvent: (fields: Fields) => void): void {
    this.listen(subject, (message) => {
      for (const line of message.string().split("\n")) if (line !== "") onEvent(JSON.parse(line));
    });
  }
}
