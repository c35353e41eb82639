/** What a reader of a stream is sent. */
import type { BusMessage } from "@weft/transport";
import { expect } from "vitest";
import { append, bytes, type Case, type TestConnection, text, until } from "../target.ts";

type Reader = {
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

async function follow(connection: TestConnection, options: Follow): Promise<Reader> {
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
function parseDelivery(reply = ""): { seq: number; stampMs: number; pending: number } | null {
  const tokens = reply.split(".");
  if (!reply.startsWith("$JS.ACK.") || tokens.length < 9) return null;
  const [seq, , stamp = "", pending] = tokens.slice(tokens.length === 9 ? 5 : 7);
  return { seq: Number(seq), stampMs: Number(stamp.slice(0, -6)), pending: Number(pending) };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function fill(connection: TestConnection, stream: string, count: number): Promise<void> {
  await Promise.all(range(1, count).map(() => append(connection, `${stream}.x`, bytes("."))));
}

export const readerCases: readonly Case[] = [
  {
    title: "a reader gets what is stored and what is appended, consecutive, each once, and how much is left",
    run: async (target) => {
      await target.createStream("follow");
      const a = await target.connect();
      await fill(a, "follow", 20);
      const reader = await follow(a, { stream: "follow", fromSeq: 6 });
      expect(reader.announced).toBe(15);
      await until(a, "what is stored", () => reader.seen.length === 15);
      expect(reader.pending).toEqual(range(0, 14).reverse());
      await fill(a, "follow", 20);
      await until(a, "what is appended", () => reader.seen.length === 35);
      expect(reader.seen).toEqual(range(6, 40));
      expect(new Set(reader.subjects)).toEqual(new Set(["follow.x"]));
    },
  },
  {
    title: "a delivery has the stamp of the message",
    run: async (target) => {
      await target.createStream("stamped");
      const a = await target.connect();
      await append(a, "stamped.x", bytes("."));
      const stamps: (number | undefined)[] = [];
      a.nats.subscribe("deliver.stamped", {
        callback: (_, { reply }) => void stamps.push(parseDelivery(reply)?.stampMs),
      });
      await a.stream("stamped").follow({ deliverTo: "deliver.stamped", fromSeq: 1, heartbeatMs: 10_000 });
      await until(a, "it", () => stamps.length === 1);
      expect(stamps[0]).toBe((await a.stream("stamped").message(1))?.stampMs);
    },
  },
  {
    title:
      "a reader that starts below the first message silently starts at the first, one behind the last behind it",
    run: async (target) => {
      await target.createStream("start");
      const a = await target.connect();
      await fill(a, "start", 10);
      await a.stream("start").purge({ belowSeq: 5 });
      const below = await follow(a, { stream: "start", fromSeq: 2 });
      expect(below.announced).toBe(6);
      const next = await follow(a, { stream: "start", fromSeq: 11 });
      const far = await follow(a, { stream: "start", fromSeq: 15 });
      expect([next.announced, far.announced]).toEqual([0, 0]);
      await fill(a, "start", 2);
      await until(a, "all", () => below.seen.length === 8 && next.seen.length === 2 && far.seen.length === 2);
      expect(below.seen).toEqual(range(5, 12));
      expect(next.seen).toEqual([11, 12]);
      expect(far.seen).toEqual([11, 12]);
    },
  },
  {
    title: "a reader of an empty stream gets its first message, whatever it asked for",
    run: async (target) => {
      await target.createStream("empty");
      const a = await target.connect();
      const readers = [
        await follow(a, { stream: "empty", fromSeq: 1 }),
        await follow(a, { stream: "empty", fromSeq: 7 }),
      ];
      await fill(a, "empty", 1);
      await until(a, "it", () => readers.every(({ seen }) => seen.length === 1));
    },
  },
  {
    title: "a reader passes over what was purged, and is told so by nobody",
    run: async (target) => {
      await target.createStream("passed");
      const a = await target.connect();
      for (const subject of ["x", "y", "x", "y", "x"]) await append(a, `passed.${subject}`, bytes("."));
      await a.stream("passed").purge({ subject: "passed.y" });
      const reader = await follow(a, { stream: "passed", fromSeq: 1 });
      expect(reader.announced).toBe(3);
      await until(a, "all", () => reader.seen.length === 3);
      expect(reader.seen).toEqual([1, 3, 5]);
      expect(reader.pending).toEqual([2, 1, 0]);
    },
  },
  {
    title: "a reader that hears nothing else hears heartbeats, with the last sequence that it was sent",
    run: async (target) => {
      await target.createStream("beat");
      const a = await target.connect();
      await fill(a, "beat", 3);
      const reader = await follow(a, { stream: "beat", fromSeq: 1, heartbeatMs: 200 });
      await until(a, "two heartbeats", () => reader.statuses.length >= 2);
      const beat = reader.statuses[1];
      expect(beat?.headers?.description).toBe("Idle Heartbeat");
      expect(beat?.headers?.get("Nats-Last-Stream")).toBe("3");
      expect(beat?.headers?.get("Nats-Last-Consumer")).toBe("3");
      expect(beat?.headers?.get("Nats-Consumer-Stalled")).toBe("");
      expect(beat?.reply).toBe("");
      expect(text(beat?.data ?? bytes("?"))).toBe("");
    },
  },
  {
    title: "a reader that does not confirm what it took is sent no more, and told where to; then it goes on",
    run: async (target) => {
      await target.createStream("flow");
      const a = await target.connect();
      const large = new Uint8Array(64 * 1024);
      const count = 48;
      await Promise.all(range(1, count).map(() => append(a, "flow.x", large)));
      const reader = await follow(a, { stream: "flow", fromSeq: 1, heartbeatMs: 200, deaf: true });
      const stalledAt = (): string =>
        reader.statuses
          .map(({ headers: status }) => status?.get("Nats-Consumer-Stalled") ?? "")
          .find((each) => each !== "") ?? "";
      await until(a, "the stall", () => stalledAt() !== "");
      expect(reader.seen.length).toBeLessThan(count);
      const asked = reader.statuses.filter(
        ({ headers: status }) => status?.description === "FlowControl Request",
      );
      expect(asked.map(({ reply }) => reply)).toContain(stalledAt());
      let answered = 0;
      await until(a, "the rest", () => {
        for (; answered < reader.statuses.length; answered++) {
          const status = reader.statuses[answered];
          const stalled = status?.headers?.get("Nats-Consumer-Stalled") ?? "";
          if (stalled !== "") a.nats.publish(stalled);
          else status?.respond();
        }
        return reader.seen.length >= count;
      });
      expect(reader.seen).toEqual(range(1, count));
    },
  },
];
