/** What a reader of a stream is sent. */
import { pause } from "@weft/transport";
import { expect } from "vitest";
import { follow, parseDelivery, range } from "../reader.ts";
import { append, bytes, type Case, type TestConnection, text, until } from "../target.ts";

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
      // On several nodes it may be served by one that is behind, which counts what it has.
      if (target.replicas === 1) expect(reader.announced).toBe(15);
      else expect(reader.announced).toBeLessThanOrEqual(15);
      await until(a, "what is stored", () => reader.seen.length === 15);
      if (target.replicas === 1) expect(reader.pending).toEqual(range(0, 14).reverse());
      expect(reader.pending.at(-1)).toBe(0);
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
      "a reader that starts below the first message silently starts at it, one behind the end waits for its own",
    run: async (target) => {
      await target.createStream("start");
      const a = await target.connect();
      await fill(a, "start", 10);
      await a.stream("start").purge({ belowSeq: 5 });
      const below = await follow(a, { stream: "start", fromSeq: 2 });
      const next = await follow(a, { stream: "start", fromSeq: 11 });
      const far = await follow(a, { stream: "start", fromSeq: 13, heartbeatMs: 150 });
      expect([next.announced, far.announced]).toEqual([0, 0]);
      await until(a, "a heartbeat", () => far.statuses.length > 0);
      expect(far.statuses[0]?.headers?.get("Nats-Last-Stream")).toBe("12");
      await fill(a, "start", 4);
      await until(
        a,
        "all",
        () => below.seen.length === 10 && next.seen.length === 4 && far.seen.length === 2,
      );
      expect(below.seen).toEqual(range(5, 14));
      expect(next.seen).toEqual(range(11, 14));
      expect(far.seen).toEqual([13, 14]);
      // It counts what it passed over as still to come: two, or fewer where a message overtakes the server's own count.
      expect(far.pending.at(-1)).toBeGreaterThan(0);
    },
  },
  {
    title: "a reader of an empty stream gets the message that it asked for",
    run: async (target) => {
      await target.createStream("empty");
      const a = await target.connect();
      const first = await follow(a, { stream: "empty", fromSeq: 1, heartbeatMs: 150 });
      const third = await follow(a, { stream: "empty", fromSeq: 3 });
      await until(a, "a heartbeat", () => first.statuses.length > 0);
      expect(first.statuses[0]?.headers?.get("Nats-Last-Stream")).toBe("0");
      await fill(a, "empty", 3);
      await until(a, "them", () => first.seen.length === 3 && third.seen.length === 1);
      expect(third.seen).toEqual([3]);
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
      if (target.replicas === 1) expect(reader.announced).toBe(3);
      await until(a, "all", () => reader.seen.length === 3);
      expect(reader.seen).toEqual([1, 3, 5]);
      if (target.replicas === 1) expect(reader.pending).toEqual([2, 1, 0]);
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
    title: "a reader that hears messages hears no heartbeat: one comes only so long after the last of them",
    run: async (target) => {
      await target.createStream("rare");
      const a = await target.connect();
      const reader = await follow(a, { stream: "rare", fromSeq: 1, heartbeatMs: 1_500 });
      for (let seq = 1; seq <= 5; seq++) {
        await append(a, "rare.x", bytes("x"));
        await until(a, "the message", () => reader.seen.length === seq);
        await pause(a.clock, 500);
      }
      expect(reader.statuses).toEqual([]);
      await until(a, "a heartbeat", () => reader.statuses.length > 0);
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
