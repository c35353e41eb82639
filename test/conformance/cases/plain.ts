/** Messages without a stream. */
import { errors, headers, RequestError, TimeoutError } from "@nats-io/transport-node";
import type { BusMessage } from "@weft/transport";
import { expect } from "vitest";
import { bytes, type Case, rejectionOf, text, until } from "../target.ts";

export const plainCases: readonly Case[] = [
  {
    title: "messages of one sender reach a listener in their order, each once",
    run: async (target) => {
      const [a, b] = [await target.connect(), await target.connect()];
      const heard: string[] = [];
      b.nats.subscribe("order.a", { callback: (_, { data }) => void heard.push(text(data)) });
      await b.flush();
      const sent = Array.from({ length: 200 }, (_, i) => String(i));
      for (const each of sent) a.nats.publish("order.a", bytes(each));
      await until(b, "all messages", () => heard.length >= sent.length);
      expect(heard).toEqual(sent);
    },
  },
  {
    title:
      "`*` stands for one token and `>` for one or more; each subscription gets a copy, the sender's own too",
    run: async (target) => {
      const a = await target.connect();
      const heard: string[] = [];
      for (const pattern of ["wild.*", "wild.>", "wild.*.c", "wild.b.c", "*.b", "wild", "*.*.*", ">"])
        a.nats.subscribe(pattern, {
          callback: (_, { subject }) => {
            if (subject.startsWith("wild")) heard.push(`${pattern} has ${subject}`);
          },
        });
      for (const subject of ["wild", "wild.b", "wild.b.c"]) a.nats.publish(subject);
      await a.flush();
      await until(a, "all copies", () => heard.length >= 11);
      expect(heard.toSorted()).toEqual(
        [
          "*.b has wild.b",
          "*.*.* has wild.b.c",
          "> has wild",
          "> has wild.b",
          "> has wild.b.c",
          "wild has wild",
          "wild.* has wild.b",
          "wild.*.c has wild.b.c",
          "wild.> has wild.b",
          "wild.> has wild.b.c",
          "wild.b.c has wild.b.c",
        ].toSorted(),
      );
    },
  },
  {
    title: "a message has its data, its headers, and an empty reply where it has none",
    run: async (target) => {
      const a = await target.connect();
      const heard: BusMessage[] = [];
      a.nats.subscribe("shape", { callback: (_, message) => void heard.push(message) });
      const marked = headers();
      marked.append("Some-Name", "one");
      marked.append("Some-Name", "two");
      const data = bytes("data");
      a.nats.publish("shape", data, { headers: marked, reply: "there" });
      a.nats.publish("shape");
      await until(a, "both", () => heard.length === 2);
      const [full, bare] = heard;
      expect(text(full?.data ?? bytes(""))).toBe("data");
      expect(full?.reply).toBe("there");
      expect(full?.headers?.values("Some-Name")).toEqual(["one", "two"]);
      expect(full?.headers?.code).toBe(0);
      expect(bare?.data).toHaveLength(0);
      expect(bare?.reply).toBe("");
      expect(bare?.headers).toBeUndefined();
      expect(bare?.respond()).toBe(false);
    },
  },
  {
    title: "a request is answered, refused at once where nobody listens, and given up where nobody answers",
    run: async (target) => {
      const [a, b] = [await target.connect(), await target.connect()];
      b.nats.subscribe("ask", { callback: (_, message) => void message.respond(message.data) });
      b.nats.subscribe("mute", { callback: () => undefined });
      await b.flush();
      // Nodes tell each other who listens, some time after it is said.
      let answer = "";
      while (answer === "")
        answer = await a.nats.request("ask", bytes("hi"), { timeout: 1_000 }).then(
          ({ data }) => text(data),
          () => "",
        );
      expect(answer).toBe("hi");
      const refused = await rejectionOf(a.nats.request("nobody", undefined, { timeout: 5_000 }));
      expect(refused).toBeInstanceOf(RequestError);
      expect((refused as RequestError).isNoResponders()).toBe(true);
      expect(await rejectionOf(a.nats.request("mute", undefined, { timeout: 100 }))).toBeInstanceOf(
        TimeoutError,
      );
    },
  },
  {
    title: "a publish with a reply that nobody hears is told so on its reply, with code 503 and no data",
    run: async (target) => {
      const a = await target.connect();
      const heard: BusMessage[] = [];
      a.nats.subscribe("answers.*", { callback: (_, message) => void heard.push(message) });
      a.nats.publish("nobody", bytes("x"), { reply: "answers.7" });
      await until(a, "the answer", () => heard.length === 1);
      expect(heard[0]?.subject).toBe("answers.7");
      expect(heard[0]?.data).toHaveLength(0);
      expect(heard[0]?.headers?.code).toBe(503);
    },
  },
  {
    title: "what is too large, or on no subject, is refused before it is sent",
    run: async (target) => {
      const a = await target.connect();
      expect(() => a.nats.publish("large", new Uint8Array(1024 * 1024 + 1))).toThrow(
        errors.InvalidArgumentError,
      );
      a.nats.publish("large", new Uint8Array(1024 * 1024));
      expect(() => a.nats.publish("")).toThrow(errors.InvalidSubjectError);
      expect(() => a.nats.publish("a b")).toThrow(errors.InvalidSubjectError);
      await a.flush();
    },
  },
  {
    title: "who has unsubscribed hears nothing more",
    run: async (target) => {
      const a = await target.connect();
      const heard: string[] = [];
      const first = a.nats.subscribe("left", { callback: () => void heard.push("first") });
      a.nats.subscribe("left", { callback: () => void heard.push("second") });
      a.nats.publish("left");
      await a.flush();
      await until(a, "both", () => heard.length === 2);
      a.nats.publish("left");
      first.unsubscribe();
      await a.flush();
      await until(a, "one more", () => heard.length === 3);
      expect(heard.toSorted()).toEqual(["first", "second", "second"]);
    },
  },
  {
    title: "a drained connection has sent what it was given; a closed one takes nothing and ends what waits",
    run: async (target) => {
      const [a, b, c] = [await target.connect(), await target.connect(), await target.connect()];
      const heard: string[] = [];
      b.nats.subscribe("last.words", { callback: (_, { data }) => void heard.push(text(data)) });
      b.nats.subscribe("mute", { callback: () => undefined });
      await b.flush();
      for (let i = 0; i < 20; i++) a.nats.publish("last.words", bytes(String(i)));
      await a.nats.drain();
      expect(a.nats.isClosed()).toBe(true);
      expect(() => a.nats.publish("x")).toThrow(errors.ClosedConnectionError);
      expect(() => a.nats.subscribe("x", { callback: () => undefined })).toThrow(
        errors.ClosedConnectionError,
      );
      expect(await rejectionOf(a.nats.request("x", undefined, { timeout: 100 }))).toBeInstanceOf(
        errors.ClosedConnectionError,
      );
      expect(await rejectionOf(a.nats.drain())).toBeInstanceOf(errors.ClosedConnectionError);
      await until(b, "its last words", () => heard.length === 20);
      const statuses: string[] = [];
      const followed = (async () => {
        for await (const { type } of c.nats.status()) statuses.push(type);
      })();
      const asked = rejectionOf(c.nats.request("mute", undefined, { timeout: 5_000 }));
      await c.nats.close();
      expect(String(await asked)).toBe("RequestError: connection closed");
      await followed;
      expect(statuses).toEqual(["close"]);
    },
  },
];
