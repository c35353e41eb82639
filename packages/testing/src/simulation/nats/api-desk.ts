/** What the server does on `$JS.API`, as far as Weft asks for it. */
import { type ApiError, NO_MESSAGE, NO_STREAM } from "./api-error.ts";
import type { SimStream } from "./sim-stream.ts";

const decoder = new TextDecoder();
const NANOS_PER_MS = 1_000_000;

type Asked = Readonly<Record<string, unknown>>;
type Answer = Readonly<Record<string, unknown>> | { readonly error: ApiError };

/** The stream that a request is about. */
export function streamOf(subject: string): string {
  const [, , area, verb, third, fourth] = subject.split(".");
  return (area === "STREAM" && verb === "MSG" ? fourth : third) ?? "";
}

export function answerOf(
  stream: SimStream | null,
  subject: string,
  data: Uint8Array,
  windowBytes: number,
): Answer {
  if (stream === null) return { error: NO_STREAM };
  const asked = (data.length === 0 ? {} : JSON.parse(decoder.decode(data))) as Asked;
  const [, , area, verb, ...rest] = subject.split(".");
  switch (`${area}.${verb}`) {
    case "STREAM.INFO":
      return infoOf(stream, asked);
    case "STREAM.UPDATE":
      return update(stream, asked);
    case "STREAM.PURGE":
      return { success: true, purged: stream.purge(purgeOf(asked, stream)) };
    case "STREAM.MSG":
      return messageOf(stream, asked);
    case "CONSUMER.CREATE":
      return follow(stream, rest[1] ?? "", asked.config as Asked, windowBytes);
    default:
      return { error: { code: 404, err_code: 0, description: `the simulation has no ${subject}` } };
  }
}

function infoOf({ name, config, store }: SimStream, asked: Asked = {}): Answer {
  const { bytesMax, metadata, subjects } = config;
  const { firstSeq, lastSeq, bytes } = store;
  const filter = asked.subjects_filter;
  const counted = typeof filter === "string" ? { subjects: store.countsOf(filter) } : {};
  return {
    config: { name, subjects, max_bytes: bytesMax, metadata },
    state: { first_seq: firstSeq, last_seq: lastSeq, bytes, ...counted },
  };
}

function update(stream: SimStream, asked: Asked): Answer {
  stream.configure({
    bytesMax: asked.max_bytes as number,
    metadata: asked.metadata as Readonly<Record<string, string>>,
  });
  return infoOf(stream);
}

function purgeOf(asked: Asked, { store }: SimStream): { belowSeq: number } | { subject: string } {
  if (typeof asked.filter === "string") return { subject: asked.filter };
  return { belowSeq: typeof asked.seq === "number" ? asked.seq : store.lastSeq + 1 };
}

function messageOf({ store }: SimStream, asked: Asked): Answer {
  const seq = typeof asked.seq === "number" ? asked.seq : store.lastSeqOf(String(asked.last_by_subj));
  const stored = store.get(seq);
  if (stored === null) return { error: NO_MESSAGE };
  const { subject, data, stampMs } = stored;
  return { message: { seq, subject, data: Buffer.from(data).toString("base64"), stampMs } };
}

function follow(stream: SimStream, name: string, config: Asked, windowBytes: number): Answer {
  const consumer = stream.follow({
    stream: stream.name,
    name,
    deliverTo: String(config.deliver_subject),
    fromSeq: Number(config.opt_start_seq),
    heartbeatMs: Number(config.idle_heartbeat) / NANOS_PER_MS,
    inactiveMs: Number(config.inactive_threshold) / NANOS_PER_MS,
    windowBytes,
  });
  return { num_pending: consumer.pending };
}
