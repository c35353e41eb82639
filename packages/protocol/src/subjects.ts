/** Every subject of Weft is built and parsed here, and nowhere else. docs/protocol.md lists them for people. */
import { BlobId, type BlobRef } from "./blob-ref.ts";
import {
  type ControlSecret,
  type Identity,
  isToken,
  type Namespace,
  type Sender,
  type TaskId,
  type TaskName,
} from "./ids.ts";

export const LOG_KINDS = ["submit", "cancel", "received", "finish", "control", "peer"] as const;
export type LogKind = (typeof LOG_KINDS)[number];

export type WorkerEventKind = "joined" | "draining" | "left" | "lost" | "blocked";
export type CoordinatorEventKind = "elected" | "resigned";

/** Kinds whose subject names the sender. */
export type SentKind = Exclude<LogKind, "control">;

/** What a subject of the log says of its record. The last token of a control subject is its secret. */
export type LogSubject =
  | { readonly kind: SentKind; readonly sender: Sender }
  | { readonly kind: "control"; readonly secret: ControlSecret };

export class Subjects {
  readonly namespace: Namespace;
  private readonly root: string;

  constructor(namespace: Namespace) {
    this.namespace = namespace;
    this.root = `weft.v1.${namespace}`;
  }

  stream(partition: number): string {
    return `WEFT_${this.namespace}_${partition}`;
  }
  logAll(partition: number): string {
    return `${this.root}.log.${partition}.>`;
  }
  log(partition: number, kind: SentKind, sender: Sender): string {
    return `${this.root}.log.${partition}.${kind}.${sender}`;
  }
  control(partition: number, secret: ControlSecret): string {
    return `${this.root}.log.${partition}.control.${secret}`;
  }

  /** The parse of a subject under `log.<partition>`; null where it is none of ours. */
  parseLog(partition: number, subject: string): LogSubject | null {
    const prefix = `${this.root}.log.${partition}.`;
    if (!subject.startsWith(prefix)) return null;
    const [kind, first, second, ...rest] = subject.slice(prefix.length).split(".");
    if (first === undefined || !isToken(first)) return null;
    if (kind === "control") return second === undefined ? { kind, secret: first as ControlSecret } : null;
    if (second === undefined || rest.length > 0 || !isToken(second)) return null;
    const sent = LOG_KINDS.find((each) => each === kind);
    if (sent === undefined || sent === "control") return null;
    return { kind: sent, sender: `${first}.${second}` as Sender };
  }

  checkpointStream(partition: number): string {
    return `WEFT_${this.namespace}_${partition}_checkpoints`;
  }
  checkpointAll(partition: number): string {
    return `${this.root}.checkpoint.${partition}.>`;
  }
  /** Everything of one checkpoint. */
  checkpoint(partition: number, slot: number): string {
    return `${this.root}.checkpoint.${partition}.${slot}.*`;
  }
  /** A chunk by its number from 0, or the last one, without which a checkpoint is none. */
  checkpointChunk(partition: number, slot: number, chunk: number | "last"): string {
    return `${this.root}.checkpoint.${partition}.${slot}.${chunk}`;
  }
  /** A leader asks all standbys which of them would write a checkpoint. */
  checkpointOffer(partition: number, leader: Sender): string {
    return `${this.root}.checkpoint-offer.${partition}.${leader}`;
  }
  checkpointOfferAll(partition: number): string {
    return `${this.root}.checkpoint-offer.${partition}.>`;
  }
  /** A leader asks this standby for a checkpoint, and how far it is. */
  checkpointRequest(partition: number, standby: Sender, leader: Sender): string {
    return `${this.root}.checkpoint-request.${partition}.${standby}.${leader}`;
  }
  checkpointRequestAll(partition: number, standby: Sender): string {
    return `${this.root}.checkpoint-request.${partition}.${standby}.>`;
  }

  /** Large values, in chunks that are never changed. */
  blobStream(partition: number): string {
    return `WEFT_${this.namespace}_${partition}_blobs`;
  }
  blobAll(partition: number): string {
    return `${this.root}.blob.${partition}.>`;
  }
  blobChunk(partition: number, { identity, id }: Pick<BlobRef, "identity" | "id">, chunk: number): string {
    return `${this.root}.blob.${partition}.${identity}.${id}.${chunk}`;
  }
  /** All chunks of one value. */
  blob(partition: number, { identity, id }: Pick<BlobRef, "identity" | "id">): string {
    return `${this.root}.blob.${partition}.${identity}.${id}.*`;
  }
  /** The first chunk of every value. */
  blobFirstChunks(partition: number): string {
    return `${this.root}.blob.${partition}.*.*.0`;
  }
  /** Which value a chunk is of; null where the subject is none of ours. */
  parseBlobChunk(partition: number, subject: string): Pick<BlobRef, "identity" | "id"> | null {
    const prefix = `${this.root}.blob.${partition}.`;
    if (!subject.startsWith(prefix)) return null;
    const [identity = "", id = ""] = subject.slice(prefix.length).split(".");
    return isToken(identity) && BlobId.is(id) ? { identity: identity as Identity, id } : null;
  }

  presence(sender: Sender): string {
    return `${this.root}.presence.${sender}`;
  }
  presenceAll(): string {
    return `${this.root}.presence.>`;
  }
  /** What a coordinator says of itself to the others. */
  coordinator(sender: Sender): string {
    return `${this.root}.coordinator.${sender}`;
  }
  coordinatorAll(): string {
    return `${this.root}.coordinator.>`;
  }
  /** Whether one worker lives: answered from two of its threads. */
  probe(sender: Sender): string {
    return `${this.root}.probe.${sender}`;
  }
  /** Assignments, cancels and aborts for one worker. */
  worker(sender: Sender): string {
    return `${this.root}.worker.${sender}`;
  }
  /** Settled tasks for one client. */
  client(sender: Sender): string {
    return `${this.root}.client.${sender}`;
  }
  /** A new leader says so to all workers and clients. */
  hello(partition: number): string {
    return `${this.root}.hello.${partition}`;
  }
  helloAll(): string {
    return `${this.root}.hello.*`;
  }
  ask(partition: number, sender: Sender): string {
    return `${this.root}.ask.${partition}.${sender}`;
  }
  askAll(partition: number): string {
    return `${this.root}.ask.${partition}.>`;
  }

  progress(owner: Identity, task: TaskId): string {
    return `${this.root}.progress.${owner}.${task}`;
  }
  /** Progress of every task of one owner. */
  progressOf(owner: Identity): string {
    return `${this.root}.progress.${owner}.*`;
  }
  /** Progress of one task, whoever owns it. */
  progressOn(task: TaskId): string {
    return `${this.root}.progress.*.${task}`;
  }
  progressAll(): string {
    return `${this.root}.progress.>`;
  }

  taskEvent(state: string, name: TaskName): string {
    return `${this.root}.event.task.${state}.${name}`;
  }
  workerEvent(kind: WorkerEventKind): string {
    return `${this.root}.event.worker.${kind}`;
  }
  coordinatorEvent(kind: CoordinatorEventKind): string {
    return `${this.root}.event.coordinator.${kind}`;
  }
  eventAll(): string {
    return `${this.root}.event.>`;
  }
}

/** The prefix under which a process receives replies and acknowledgements. */
export function inboxPrefix(sender: Sender): string {
  return `_I.${sender}`;
}

/** The last token of a subject, which is the task id of a progress subject. */
export function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf(".") + 1);
}

/** What an event's subject says of the tasks that it is about; null where it is about none. */
export function taskEventOf(subject: string): { readonly state: string; readonly name: string } | null {
  const [name = "", state = "", kind, event] = subject.split(".").reverse();
  return kind === "task" && event === "event" && isToken(name) && isToken(state) ? { state, name } : null;
}

/** The sender that the last two tokens of a presence, ask, worker or client subject name; null if they are no tokens. */
export function senderOf(subject: string): Sender | null {
  const parts = subject.split(".");
  const instance = parts.at(-1) ?? "";
  const identity = parts.at(-2) ?? "";
  return isToken(instance) && isToken(identity) ? (`${identity}.${instance}` as Sender) : null;
}
