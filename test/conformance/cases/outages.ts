/** What is lost, and what goes on, when connections and servers are gone for a while. */
import { RequestError, TimeoutError } from "@nats-io/transport-node";
import { apiCode, pause } from "@weft/transport";
import { expect } from "vitest";
import { follow, range } from "../reader.ts";
import {
  append,
  bytes,
  type Case,
  rejectionOf,
  resultOf,
  type TestConnection,
  text,
  until,
} from "../target.ts";

/** What happened to a connection. */
function statusesOf({ nats }: TestConnection): string[] {
  const seen: string[] = [];
  const read = async (): Promise<void> => {
    for await (const { type } of nats.status())
      if (type === "disconnect" || type === "reconnect") seen.push(type);
  };
  read().catch((error: unknown) => seen.push(String(error)));
  return seen;
}

export const outageCases: readonly Case[] = [
  {
    title:
      "what is published while a connection is down is dropped without an error; subscriptions come back",
    run: async (target) => {
      const [a, b] = [await target.connect(), await target.connect()];
      const heardBy = { a: [] as string[], b: [] as string[] };
      a.nats.subscribe("down.a", { callback: (_, { data }) => void heardBy.a.push(text(data)) });
      b.nats.subscribe("down.b", { callback: (_, { data }) => void heardBy.b.push(text(data)) });
      await Promise.all([a.flush(), b.flush()]);
      const statuses = statusesOf(a);
      a.cut({ mutedMs: 0, downMs: 800 });
      await until(a, "the loss", () => statuses.includes("disconnect"));
      // It has tried to reconnect once, and will again before it can.
      await pause(a.clock, 100);
      for (let i = 0; i < 10; i++) a.nats.publish("down.b", bytes("dropped"));
      b.nats.publish("down.a", bytes("missed"));
      await until(a, "the reconnect", () => statuses.includes("reconnect"));
      await a.flush();
      a.nats.publish("down.b", bytes("after"));
      await a.flush();
      b.nats.publish("down.a", bytes("after"));
      await until(b, "both", () => heardBy.a.length > 0 && heardBy.b.length > 0);
      expect(heardBy).toEqual({ a: ["after"], b: ["after"] });
      expect(statuses).toEqual(["disconnect", "reconnect"]);
    },
  },
  {
    title:
      "what is sent before anybody notices a cut is lost without an error; a request hangs until its time-out",
    run: async (target) => {
      const [a, b] = [await target.connect(), await target.connect()];
      const heard: string[] = [];
      b.nats.subscribe("muted.b", {
        callback: (_, message) => {
          heard.push(text(message.data));
          message.respond();
        },
      });
      await b.flush();
      let isHeard = false;
      while (!isHeard)
        isHeard = await a.nats.request("muted.b", bytes("first"), { timeout: 1_000 }).then(
          () => true,
          () => false,
        );
      const statuses = statusesOf(a);
      a.cut({ mutedMs: 500, downMs: 100 });
      a.nats.publish("muted.b", bytes("lost"));
      const askedAtMs = a.clock.nowMs();
      const hung = rejectionOf(a.nats.request("muted.b", bytes("lost"), { timeout: 1_500 }));
      await until(a, "the reconnect", () => statuses.includes("reconnect"));
      expect(a.clock.nowMs() - askedAtMs).toBeLessThan(1_500);
      expect(await hung).toBeInstanceOf(TimeoutError);
      expect(a.clock.nowMs() - askedAtMs).toBeGreaterThanOrEqual(1_499);
      await a.nats.request("muted.b", bytes("after"), { timeout: 1_000 });
      expect(heard.slice(heard.indexOf("first") + 1)).toEqual(["after"]);
    },
  },
  {
    title: "a reader that was away for the server goes on where it was",
    run: async (target) => {
      await target.createStream("away");
      const [a, b] = [await target.connect(), await target.connect()];
      const reader = await follow(a, { stream: "away", fromSeq: 1 });
      await append(b, "away.x", bytes("."));
      await until(a, "the first", () => reader.seen.length === 1);
      const statuses = statusesOf(a);
      a.cut({ mutedMs: 0, downMs: 500 });
      await until(a, "the loss", () => statuses.includes("disconnect"));
      await pause(a.clock, 100);
      for (let i = 0; i < 5; i++) await append(b, "away.x", bytes("."));
      await until(a, "the reconnect", () => statuses.includes("reconnect"));
      await append(b, "away.x", bytes("."));
      await until(a, "the last", () => reader.seen.at(-1) === 7);
      expect(reader.seen).toEqual(range(1, 7));
    },
  },
  {
    title:
      "what a reader was sent while nobody noticed that it was cut is not sent again; one made anew gets it",
    run: async (target) => {
      await target.createStream("gap");
      const [a, b] = [await target.connect(), await target.connect()];
      const reader = await follow(a, { stream: "gap", fromSeq: 1 });
      await append(b, "gap.x", bytes("."));
      await until(a, "the first", () => reader.seen.length === 1);
      const statuses = statusesOf(a);
      a.cut({ mutedMs: 500, downMs: 100 });
      for (let i = 0; i < 5; i++) await append(b, "gap.x", bytes("."));
      await until(a, "the reconnect", () => statuses.includes("reconnect"));
      await append(b, "gap.x", bytes("."));
      await until(a, "the last", () => reader.seen.at(-1) === 7);
      expect(reader.seen).toEqual([1, 7]);
      const anew = await follow(a, { stream: "gap", fromSeq: 2 });
      await until(a, "all", () => anew.seen.length === 6);
      expect(anew.seen).toEqual(range(2, 7));
    },
  },
  {
    title: "a restart keeps what is stored and forgets readers, who are told nothing",
    replicas: 1,
    run: async (target) => {
      await target.createStream("restart");
      const a = await target.connect();
      for (let i = 0; i < 3; i++) await append(a, "restart.x", bytes(String(i)));
      const reader = await follow(a, { stream: "restart", fromSeq: 1, heartbeatMs: 100 });
      await until(a, "a heartbeat", () => reader.seen.length === 3 && reader.statuses.length > 0);
      const statuses = statusesOf(a);
      await target.restart("restart");
      await until(a, "the reconnect", () => statuses.includes("reconnect"));
      const heard = reader.statuses.length;
      expect(resultOf(await append(a, "restart.x", bytes("3")))).toBe("stored 4");
      await pause(a.clock, 500);
      expect([reader.seen.length, reader.statuses.length]).toEqual([3, heard]);
      const anew = await follow(a, { stream: "restart", fromSeq: 1 });
      await until(a, "all", () => anew.seen.length === 4);
      expect(anew.seen).toEqual(range(1, 4));
    },
  },
  {
    title:
      "without the node that led it a stream takes nothing for seconds; all that was acknowledged is there",
    replicas: 3,
    run: async (target) => {
      await target.createStream("orphan");
      const a = await target.connect();
      const acknowledged: [number, string][] = [];
      const failures = new Set<string>();
      let over = false;
      const writing = (async () => {
        for (let i = 0; !over; i++) {
          const ack = await append(a, "orphan.x", bytes(String(i))).catch(failureOf);
          if (typeof ack === "string") failures.add(ack);
          else if (ack.ok) acknowledged.push([ack.seq, String(i)]);
          else failures.add(`refused ${ack.error.code}`);
          await pause(a.clock, 10);
        }
      })();
      await until(a, "some", () => acknowledged.length > 20);
      await target.loseLeader("orphan");
      await until(a, "a failure", () => failures.size > 0);
      const before = acknowledged.length;
      await until(a, "more", () => acknowledged.length > before + 20);
      over = true;
      await writing;
      for (const failure of failures)
        expect(["no responders", "no answer", "refused 10008"]).toContain(failure);
      expect(acknowledged.map(([seq]) => seq)).toEqual(
        acknowledged.map(([seq]) => seq).toSorted((x, y) => x - y),
      );
      for (const [seq, data] of acknowledged) {
        const stored = await a.stream("orphan").message(seq);
        expect(text(stored?.data ?? bytes(""))).toBe(data);
      }
    },
  },
];

function failureOf(error: unknown): string {
  if (error instanceof TimeoutError) return "no answer";
  if (error instanceof RequestError && error.isNoResponders()) return "no responders";
  return `refused ${apiCode(error)}: ${String(error)}`;
}
