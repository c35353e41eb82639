/** What is appended to a stream: acknowledgements, guards, limits. */
import { headers, type MsgHdrs, type RequestError } from "@nats-io/transport-node";
import { apiCode, type BusMessage } from "@weft/transport";
import { expect } from "vitest";
import { append, bytes, type Case, rejectionOf, resultOf, text, until } from "../target.ts";

function expecting(seq: number, subject?: string): MsgHdrs {
  const guard = headers();
  guard.set("Nats-Expected-Last-Subject-Sequence", String(seq));
  if (subject !== undefined) guard.set("Nats-Expected-Last-Subject-Sequence-Subject", subject);
  return guard;
}

export const appendCases: readonly Case[] = [
  {
    title:
      "an append is stored and acknowledged with its sequence, heard by listeners too, and stored if nobody asks",
    run: async (target) => {
      await target.createStream("ack");
      const [a, b] = [await target.connect(), await target.connect()];
      const heard: string[] = [];
      a.nats.subscribe("ack.>", { callback: (_, { data }) => void heard.push(text(data)) });
      await a.flush();
      const answer = await a.nats.request("ack.x", bytes("one"), { timeout: 5_000 });
      expect(JSON.parse(text(answer.data))).toEqual({ stream: "ack", seq: 1 });
      b.nats.publish("ack.x", bytes("two"));
      await until(a, "both", () => heard.length === 2);
      expect(resultOf(await append(a, "ack.y", bytes("three")))).toBe("stored 3");
      const stored = await a.stream("ack").message(2);
      expect(text(stored?.data ?? bytes(""))).toBe("two");
    },
  },
  {
    title: "an append without a stream, and what is asked of none, is refused",
    run: async (target) => {
      const a = await target.connect();
      const refused = await rejectionOf(append(a, "absent.x", bytes("x")));
      expect((refused as RequestError).isNoResponders()).toBe(true);
      const absent = a.stream("absent");
      const asks = [
        () => absent.info(),
        () => absent.message(1),
        () => absent.follow({ deliverTo: "x", fromSeq: 1, heartbeatMs: 1_000 }),
      ];
      for (const ask of asks) expect(apiCode(await rejectionOf(ask()))).toBe(10059);
    },
  },
  {
    title:
      "a guarded append is stored where its expectation holds, per subject, and refused with 10071 elsewhere",
    run: async (target) => {
      await target.createStream("guard");
      const a = await target.connect();
      const results: string[] = [];
      const tries: readonly [string, number][] = [
        ["x", 0],
        ["x", 0],
        ["y", 0],
        ["x", 1],
        ["x", 2],
        ["x", 3],
        ["x", 4],
        ["y", 2],
      ];
      for (const [subject, seq] of tries)
        results.push(resultOf(await append(a, `guard.${subject}`, bytes("x"), expecting(seq))));
      expect(results).toEqual([
        "stored 1",
        "refused 10071",
        "stored 2",
        "stored 3",
        "refused 10071",
        "stored 4",
        "stored 5",
        "stored 6",
      ]);
    },
  },
  {
    title: "after the last message of a subject is purged its expected sequence is 0 again",
    run: async (target) => {
      await target.createStream("zero");
      const a = await target.connect();
      for (const subject of ["x", "y", "x"]) await append(a, `zero.${subject}`, bytes("x"));
      await a.stream("zero").purge({ belowSeq: 3 });
      expect(resultOf(await append(a, "zero.y", bytes("x"), expecting(2)))).toBe("refused 10071");
      expect(resultOf(await append(a, "zero.y", bytes("x"), expecting(0)))).toBe("stored 4");
      await a.stream("zero").purge({ subject: "zero.x" });
      expect(resultOf(await append(a, "zero.x", bytes("x"), expecting(3)))).toBe("refused 10071");
      expect(resultOf(await append(a, "zero.x", bytes("x"), expecting(0)))).toBe("stored 5");
    },
  },
  {
    title:
      "guarded appends on their way at once do not fence: a zombie's later one is stored behind its successor's",
    run: async (target) => {
      await target.createStream("zombie");
      const [zombie, leader] = [await target.connect(), await target.connect()];
      await append(leader, "zombie.control", bytes("elected"), expecting(0));
      // The zombie counted on its own appends at 2, 3 and 4, and has sent them all.
      const late = [2, 3].map((seq) => () => append(zombie, "zombie.control", bytes("late"), expecting(seq)));
      const [first] = [await append(leader, "zombie.control", bytes("leader"), expecting(1))];
      expect(resultOf(first)).toBe("stored 2");
      const results: string[] = [];
      for (const each of late) results.push(resultOf(await each()));
      expect(results).toEqual(["stored 3", "stored 4"]);
    },
  },
  {
    title:
      "of guarded appends sent at once, one replica stores all; three refuse those behind the first with 10164",
    run: async (target) => {
      await target.createStream("pipeline");
      const a = await target.connect();
      await append(a, "pipeline.x", bytes("x"));
      const sent = [1, 2, 3, 4].map((seq) => append(a, "pipeline.x", bytes("x"), expecting(seq)));
      const results = (await Promise.all(sent)).map(resultOf);
      if (target.replicas === 1) expect(results).toEqual(["stored 2", "stored 3", "stored 4", "stored 5"]);
      else {
        // Unless the first is through before the others arrive.
        expect(results[0]).toBe("stored 2");
        for (const result of results.slice(1)) expect(result).toMatch(/^(stored \d|refused 101?(64|071))$/);
      }
    },
  },
  {
    title: "a guard may name another subject",
    run: async (target) => {
      await target.createStream("other");
      const a = await target.connect();
      await append(a, "other.x", bytes("x"));
      expect(resultOf(await append(a, "other.y", bytes("y"), expecting(0, "other.x")))).toBe("refused 10071");
      expect(resultOf(await append(a, "other.y", bytes("y"), expecting(1, "other.x")))).toBe("stored 2");
    },
  },
  {
    title:
      "appends of one sender are stored in its order, with stamps that do not go back and are near the wall clock",
    run: async (target) => {
      await target.createStream("stamps");
      const [a, b] = [await target.connect(), await target.connect()];
      const startedMs = a.clock.wallMs();
      const answers = [];
      for (let i = 0; i < 100; i++)
        for (const each of [a, b])
          answers.push(append(each, `stamps.${each === a ? "a" : "b"}`, bytes(String(i))));
      const acks = await Promise.all(answers);
      expect(acks.map((ack) => (ack.ok ? ack.seq : 0)).toSorted((x, y) => x - y)).toEqual(
        acks.map((_, i) => i + 1),
      );
      const next = { "stamps.a": 0, "stamps.b": 0 };
      let lastMs = 0;
      for (let seq = 1; seq <= acks.length; seq += 1) {
        const stored = await a.stream("stamps").message(seq);
        const subject = stored?.subject as keyof typeof next;
        expect(text(stored?.data ?? bytes(""))).toBe(String(next[subject]++));
        expect(stored?.stampMs).toBeGreaterThanOrEqual(lastMs);
        lastMs = stored?.stampMs ?? 0;
      }
      expect(lastMs).toBeGreaterThanOrEqual(startedMs);
      expect(lastMs - startedMs).toBeLessThan(10_000);
    },
  },
  {
    title: "an acknowledgement goes to any subject that its sender names, those of a log included",
    run: async (target) => {
      await target.createStream("trick");
      await target.createStream("victim");
      const a = await target.connect();
      const heard: BusMessage[] = [];
      a.nats.subscribe("anybody", { callback: (_, message) => void heard.push(message) });
      a.nats.publish("trick.x", bytes("x"), { reply: "anybody" });
      await until(a, "the acknowledgement", () => heard.length === 1);
      expect(text(heard[0]?.data ?? bytes(""))).toBe('{"stream":"trick","seq":1}');
      a.nats.publish("trick.x", bytes("x"), { reply: "victim.x" });
      let last = 0;
      while (last === 0) last = (await a.stream("victim").info()).lastSeq;
      const stored = await a.stream("victim").message(1);
      expect(stored).toMatchObject({ seq: 1, subject: "victim.x" });
      expect(text(stored?.data ?? bytes(""))).toBe('{"stream":"trick","seq":2}');
      // Of its own log too, where it is an append without a reply.
      a.nats.publish("trick.x", bytes("x"), { reply: "trick.y" });
      await a.flush();
      let own = null;
      while (own === null) own = await a.stream("trick").message(4);
      expect(own.subject).toBe("trick.y");
    },
  },
  {
    title: "a message counts 30 bytes and its subject, data and headers",
    run: async (target) => {
      await target.createStream("size", { bytesMax: 1_000_000 });
      const a = await target.connect();
      const stream = a.stream("size");
      expect(await stream.info()).toEqual({
        firstSeq: 0,
        lastSeq: 0,
        bytes: 0,
        bytesMax: 1_000_000,
        metadata: expect.anything(),
      });
      await append(a, "size.x", new Uint8Array(100));
      expect((await stream.info()).bytes).toBe(136);
      await append(a, "size.x", new Uint8Array(100), expecting(1));
      expect((await stream.info()).bytes).toBe(
        136 + 140 + "NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: 1\r\n\r\n".length,
      );
    },
  },
  {
    title:
      "a full stream refuses with 10077 and may take a smaller message still; raising its limit works at once",
    run: async (target) => {
      await target.createStream("full", { bytesMax: 1_000 });
      const a = await target.connect();
      const put = async (size: number): Promise<string> =>
        resultOf(await append(a, "full.x", new Uint8Array(size - 36)));
      const stream = a.stream("full");
      expect([await put(600), await put(500), await put(300), await put(101)]).toEqual([
        "stored 1",
        "refused 10077",
        "stored 2",
        "refused 10077",
      ]);
      // The limit itself is still taken.
      expect(await put(100)).toBe("stored 3");
      expect(await put(36)).toBe("refused 10077");
      await stream.configure({ bytesMax: 1_036 });
      expect([await put(36), await put(36)]).toEqual(["stored 4", "refused 10077"]);
      await stream.configure({ bytesMax: 500 });
      expect(await stream.info()).toMatchObject({ firstSeq: 1, lastSeq: 4, bytes: 1_036, bytesMax: 500 });
      expect(await put(36)).toBe("refused 10077");
      await stream.purge({ belowSeq: 2 });
      expect(await put(40)).toBe("stored 5");
    },
  },
  {
    title: "a message beyond the limit of a stream for one is refused with 10054",
    run: async (target) => {
      await target.createStream("large", { messageBytesMax: 1_000 });
      const a = await target.connect();
      expect(resultOf(await append(a, "large.x", new Uint8Array(1_000)))).toBe("stored 1");
      expect(resultOf(await append(a, "large.x", new Uint8Array(1_001)))).toBe("refused 10054");
      const head = "NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: 1\r\n\r\n".length;
      expect(resultOf(await append(a, "large.x", new Uint8Array(1_001 - head), expecting(1)))).toBe(
        "refused 10054",
      );
      expect(resultOf(await append(a, "large.x", new Uint8Array(1_000 - head), expecting(1)))).toBe(
        "stored 2",
      );
    },
  },
  {
    title: "an append whose acknowledgement is lost and that is sent again is stored twice",
    run: async (target) => {
      await target.createStream("twice");
      const a = await target.connect();
      // The acknowledgement goes where nobody listens.
      a.nats.publish("twice.x", bytes("same"), { reply: "nobody.here" });
      await a.flush();
      a.nats.publish("twice.x", bytes("same"), { reply: "nobody.here" });
      expect(resultOf(await append(a, "twice.y", bytes("other")))).toBe("stored 3");
      const stored = await Promise.all([1, 2].map((seq) => a.stream("twice").message(seq)));
      expect(stored.map((each) => text(each?.data ?? bytes("")))).toEqual(["same", "same"]);
    },
  },
  {
    title: "metadata is kept, and changed by name",
    run: async (target) => {
      await target.createStream("meta");
      const a = await target.connect();
      await a.stream("meta").configure({ metadata: { one: "1", two: "2" } });
      await a.stream("meta").configure({ metadata: { two: "3" }, bytesMax: 5_000 });
      expect(await a.stream("meta").info()).toMatchObject({
        bytesMax: 5_000,
        metadata: { one: "1", two: "3" },
      });
    },
  },
];
