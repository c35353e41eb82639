/**
 * Creates and opens a namespace: the stream that is its log, with those for its checkpoints and its large values, and the
 * secret in the log's metadata that only those with the JetStream API can read. Made once, by `weft init`.
 */
import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  PersistMode,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  ControlSecret,
  DefectError,
  type Namespace,
  NamespaceMissingError,
  Subjects,
  UsageError,
} from "@weft/protocol";
import { apiCode } from "@weft/transport";
import { createBlobStream } from "./blob-stream.ts";
import { createCheckpointStream } from "./checkpoint-stream.ts";
import { limitOf } from "./log-room.ts";

export type NamespaceConfig = {
  readonly namespace: Namespace;
  readonly stream: string;
  readonly partitions: number;
  readonly secret: ControlSecret;
  readonly durability: Durability;
  /** The log is purged up to a checkpoint that is at least as old. */
  readonly purgeAgeMs: number;
  /** What the log may take, without what it is raised by for now; 0 or less for no limit. */
  readonly logBytesMax: number;
};

/** What the log survives (docs/operations.md). */
export const DURABILITIES = ["memory", "standard", "strict"] as const;
export type Durability = (typeof DURABILITIES)[number];

export type NamespaceOptions = {
  /**
   * `memory` loses the log with the server: for tests. `standard` keeps it in files. `strict` is for servers that run with
   * `sync_interval: always`, which nothing that is acknowledged is lost on. @default "standard"
   */
  readonly durability?: Durability;
  /**
   * The log is purged up to a checkpoint that is at least as old, in milliseconds: twice the `sync_interval` of the
   * servers. @default 240000; 0 for `memory` and `strict`
   */
  readonly purgeAgeMs?: number;
  /** Copies of the log; 3 needs a NATS cluster of three. @default 1, or 3 in a cluster of at least three nodes */
  readonly replicas?: number;
  /** Most bytes of the log. @default 10 GiB */
  readonly logBytesMax?: number;
};

const LOG_BYTES_MAX = 10 * 1024 ** 3;
/** Twice the time after which a server syncs by default. */
const PURGE_AGE_MS = { memory: 0, standard: 240_000, strict: 0 } as const;
const RECORD_BYTES_MAX = 1024 * 1024;
const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;

/** Idempotent: an existing namespace is left as it is, but for what an older version did not make. */
export async function createNamespace(
  nats: NatsConnection,
  namespace: Namespace,
  options: NamespaceOptions = {},
): Promise<NamespaceConfig> {
  const jsm = await jetstreamManager(nats);
  const subjects = new Subjects(namespace);
  const existing = await find(jsm, subjects);
  if (existing !== null) {
    await completeNamespace(nats, existing);
    return existing;
  }
  const { durability = "standard" } = options;
  try {
    await jsm.streams.add({
      name: subjects.stream(0),
      subjects: [subjects.logAll(0)],
      storage: durability === "memory" ? StorageType.Memory : StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      num_replicas: options.replicas ?? defaultReplicas(nats),
      max_bytes: options.logBytesMax ?? LOG_BYTES_MAX,
      max_msg_size: RECORD_BYTES_MAX,
      duplicate_window: 100_000_000,
      allow_direct: true,
      deny_delete: true,
      allow_rollup_hdrs: false,
      metadata: {
        "weft.format": "1",
        "weft.partitions": "1",
        "weft.secret": ControlSecret.create(),
        "weft.durability": durability,
        "weft.purgeAgeMs": String(options.purgeAgeMs ?? PURGE_AGE_MS[durability]),
      },
    });
  } catch (error) {
    // Somebody else made it in between: theirs is as good as ours.
    if (apiCode(error) !== STREAM_NAME_IN_USE) throw error;
  }
  const created = await openNamespace(nats, namespace);
  await completeNamespace(nats, created);
  return created;
}

/** Makes what the namespace lacks beside its log. */
export async function completeNamespace(nats: NatsConnection, config: NamespaceConfig): Promise<void> {
  const jsm = await jetstreamManager(nats);
  const log = await jsm.streams.info(config.stream);
  const subjects = new Subjects(config.namespace);
  await createCheckpointStream(jsm, subjects, log.config);
  await createBlobStream(jsm, subjects, log.config);
}

function defaultReplicas(nats: NatsConnection): number {
  return (nats.info?.cluster ?? "") !== "" && (nats.info?.connect_urls ?? []).length >= 3 ? 3 : 1;
}

/** Throws `NamespaceMissingError` where nobody has created it. */
export async function openNamespace(nats: NatsConnection, namespace: Namespace): Promise<NamespaceConfig> {
  const jsm = await jetstreamManager(nats);
  const config = await find(jsm, new Subjects(namespace));
  if (config === null) throw new NamespaceMissingError(namespace);
  return config;
}

async function find(jsm: JetStreamManager, subjects: Subjects): Promise<NamespaceConfig | null> {
  const stream = subjects.stream(0);
  try {
    const { config } = await jsm.streams.info(stream);
    const secret = config.metadata?.["weft.secret"];
    if (secret === undefined) {
      throw new UsageError(`the stream ${stream} exists and is no log of Weft: choose another namespace`);
    }
    const partitions = Number(config.metadata?.["weft.partitions"]);
    if (partitions !== 1)
      throw new DefectError(`a namespace of ${partitions} partitions cannot be opened by this version`);
    const durability = durabilityOf(config);
    const purgeAgeMs = Number(config.metadata?.["weft.purgeAgeMs"] ?? PURGE_AGE_MS[durability]);
    return {
      namespace: subjects.namespace,
      stream,
      partitions,
      secret: ControlSecret.parse(secret),
      durability,
      purgeAgeMs,
      logBytesMax: limitOf({ metadata: config.metadata ?? {}, bytesMax: config.max_bytes }),
    };
  } catch (error) {
    if (apiCode(error) === STREAM_NOT_FOUND) return null;
    throw error;
  }
}

/** Namespaces of an older version do not say. Whether servers sync each write is nothing that a client can find out. */
function durabilityOf({ name, metadata, storage, persist_mode: persistMode }: StreamConfig): Durability {
  const told = metadata?.["weft.durability"];
  const known = DURABILITIES.find((each) => each === told);
  if (known === "strict" && (storage !== StorageType.File || persistMode === PersistMode.Async))
    throw new UsageError(
      `the namespace is "strict", and its stream ${name} is not written to files before it acknowledges: create it anew with \`weft init\``,
    );
  return known ?? (storage === StorageType.Memory ? "memory" : "standard");
}
