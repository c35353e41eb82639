/** A reader of a stream that keeps what it is sent. */
import type { BusMessage } from "@weft/transport";
import type { TestConnection } from "./target.ts";

export type Reader = {
  readonly seen: number[];
  readonly pending: number[];
  readonly statuses: BusMessage[];
  /** What it was told to have to expect. */
  readonly announced: number;
  readonly subjects: string[];
};

type Follow = {
  readonly stream: string;
  readonly fromSeq: number;
  readonly heartbeatMs?: number;
  readonly deaf?: boolean;
};

export async function follow(connection: TestConnection, options: Follow): Promise<Reader> {
  const { nats, entropy } = connection;
  const deliverTo = `deliver.${entropy.token(12)}`;
  const reader = {
    seen: [] as number[],
    pending: [] as number[],
    statuses: [] as BusMessage[],
    subjects: [] as string[],
  };
  nats.subscribe(deliverTo, {
    callback: (_, message) => {
      if (message.headers?.code === 100) {
        reader.statuses.push(message);
        if (options.deaf !== true) message.respond();
        return;
      }
      const delivery = parseDelivery(message.reply);
      reader.seen.push(delivery?.seq ?? 0);
      reader.pending.push(delivery?.pending ?? -1);
      reader.subjects.push(message.subject);
    },
  });
  const { stream, fromSeq, heartbeatMs = 1_000 } = options;
  const announced = await connection.stream(stream).follow({ deliverTo, fromSeq, heartbeatMs });
  return { ...reader, announced };
}

/** `$JS.ACK…<stream seq>.<consumer seq>.<stamp in ns>.<pending>`: 9 tokens, or 11 and more with two before the stream's name. */
export function parseDelivery(reply = ""): { seq: number; stampMs: number; pending: number } | null {
  const tokens = reply.split(".");
  if (!reply.startsWith("$JS.ACK.") || tokens.length < 9) return null;
  const [seq, , stamp = "", pending] = tokens.slice(tokens.length === 9 ? 5 : 7);
  return { seq: Number(seq), stampMs: Number(stamp.slice(0, -6)), pending: Number(pending) };
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
