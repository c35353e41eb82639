/** Listens to the monitoring subjects and hands out what the filter lets through. Nothing is stored: what was missed is gone. */
import { LIST_ROWS_MAX, LIVE_STATES } from "@weft/protocol";
import type { Cluster } from "./cluster.ts";
import { type ClusterEvent, readEvents, readProgress } from "./cluster-event.ts";
import { readListReport } from "./report-reader.ts";

export type EventFilter = {
  /** Only this task's events and progress. */
  readonly task: string | null;
  /** Only events of tasks that say so: no progress, no workers, no coordinators. Empty for all. */
  readonly states: readonly string[];
};

export const NO_FILTER: EventFilter = { task: null, states: [] };

/** Names of tasks, to tell progress by; the oldest are forgotten first. */
const NAMES_MAX = 10_000;

export class EventFeed {
  private readonly cluster: Cluster;
  private readonly filter: EventFilter;
  private readonly onEvent: (event: ClusterEvent) => void;
  private readonly names = new Map<string, string>();

  constructor(cluster: Cluster, filter: EventFilter, onEvent: (event: ClusterEvent) => void) {
    this.cluster = cluster;
    this.filter = filter;
    this.onEvent = onEvent;
  }

  readonly nameOf = (id: string): string | undefined => this.names.get(id);

  /** Resolves when the server has the subscriptions. */
  async start(): Promise<void> {
    const { connection, subjects } = this.cluster;
    connection.nats.subscribe(subjects.eventAll(), {
      callback: (error, message) => {
        if (error === null) for (const event of readEvents(message.subject, message.data)) this.take(event);
      },
    });
    connection.nats.subscribe(subjects.progressAll(), {
      callback: (error, message) => {
        const event = error === null ? readProgress(message.subject, message.data) : null;
        if (event !== null) this.take(event);
      },
    });
    await connection.nats.flush();
  }

  /** Learns the names of tasks that run already. Best effort: without a leader there is nobody to tell them. */
  async learnNames(): Promise<void> {
    const filter = { states: LIVE_STATES, name: this.filter.task, limit: LIST_ROWS_MAX };
    const list = await this.cluster.report({ type: "list", filter }).then(readListReport, () => null);
    for (const { id, name } of list?.rows ?? []) this.learn(id, name);
  }

  private learn(id: string, name: string): void {
    this.names.set(id, name);
    if (this.names.size <= NAMES_MAX) return;
    const [oldest] = this.names.keys();
    if (oldest !== undefined) this.names.delete(oldest);
  }

  private take(event: ClusterEvent): void {
    if (event.type === "task") this.learn(event.id, event.name);
    if (this.lets(event)) this.onEvent(event);
  }

  private lets(event: ClusterEvent): boolean {
    const { task, states } = this.filter;
    const isOfTasks = event.type === "task" || event.type === "omitted";
    if (states.length > 0 && !(isOfTasks && states.includes(event.state))) return false;
    if (task === null) return true;
    if (event.type === "progress") return this.names.get(event.report.task) === task;
    return isOfTasks && event.name === task;
  }
}
