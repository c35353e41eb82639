/** What is read from a stream by position, and removed. */
import { expect } from "vitest";
import { append, bytes, type Case, text } from "../target.ts";

export const readCases: readonly Case[] = [
  {
    title: "a message is read by its sequence, and the newest of a subject by that, wildcards too",
    run: async (target) => {
      await target.createStream("read");
      const a = await target.connect();
      const stream = a.stream("read");
      for (const [subject, data] of [
        ["x", "1"],
        ["y.z", "2"],
        ["x", "3"],
      ] as const)
        await append(a, `read.${subject}`, bytes(data));
      const found = await stream.message(2);
      expect(found).toMatchObject({ seq: 2, subject: "read.y.z" });
      expect(text(found?.data ?? bytes(""))).toBe("2");
      expect(await stream.lastMessage("read.x")).toMatchObject({ seq: 3 });
      expect(await stream.lastMessage("read.y.*")).toMatchObject({ seq: 2 });
      expect(await stream.lastMessage("read.>")).toMatchObject({ seq: 3 });
      expect(await stream.lastMessage("read.none")).toBeNull();
      expect(await stream.message(4)).toBeNull();
    },
  },
  {
    title: "the subjects that hold something are told by a pattern, until the last of it is purged",
    run: async (target) => {
      await target.createStream("names");
      const a = await target.connect();
      const stream = a.stream("names");
      expect(await stream.subjects("names.>")).toEqual([]);
      for (const subject of ["a.x.0", "a.x.1", "a.y.0", "b.z.0", "a.x.0"])
        await append(a, `names.${subject}`, bytes("."));
      const told = async (pattern: string): Promise<string[]> => [...(await stream.subjects(pattern))].sort();
      expect(await told("names.*.*.0")).toEqual(["names.a.x.0", "names.a.y.0", "names.b.z.0"]);
      expect(await told("names.a.>")).toEqual(["names.a.x.0", "names.a.x.1", "names.a.y.0"]);
      expect(await told("names.c.*")).toEqual([]);
      await stream.purge({ subject: "names.a.x.*" });
      expect(await told("names.*.*.0")).toEqual(["names.a.y.0", "names.b.z.0"]);
    },
  },
  {
    title: "a purge below a sequence leaves it and all behind it; what is gone reads as null",
    run: async (target) => {
      await target.createStream("below");
      const a = await target.connect();
      const stream = a.stream("below");
      for (const subject of ["x", "y", "x", "y"]) await append(a, `below.${subject}`, bytes("."));
      await stream.purge({ belowSeq: 3 });
      expect(await stream.info()).toMatchObject({ firstSeq: 3, lastSeq: 4, bytes: 2 * 38 - 2 + 2 });
      expect(await stream.message(2)).toBeNull();
      expect(await stream.message(3)).toMatchObject({ subject: "below.x" });
      await stream.purge({ belowSeq: 1 });
      expect(await stream.info()).toMatchObject({ firstSeq: 3, lastSeq: 4 });
      await stream.purge({ belowSeq: 5 });
      expect(await stream.info()).toMatchObject({ firstSeq: 5, lastSeq: 4, bytes: 0 });
      expect(await stream.lastMessage("below.x")).toBeNull();
    },
  },
  {
    title: "a purge of a subject leaves holes; the first sequence is the first that is there",
    run: async (target) => {
      await target.createStream("holes");
      const a = await target.connect();
      const stream = a.stream("holes");
      for (const subject of ["x", "y", "x", "z", "x"]) await append(a, `holes.${subject}`, bytes("."));
      await stream.purge({ subject: "holes.z" });
      expect(await stream.info()).toMatchObject({ firstSeq: 1, lastSeq: 5 });
      await stream.purge({ subject: "holes.x" });
      expect(await stream.info()).toMatchObject({ firstSeq: 2, lastSeq: 5 });
      expect(
        await Promise.all([1, 2, 3, 4, 5].map(async (seq) => (await stream.message(seq))?.subject ?? null)),
      ).toEqual([null, "holes.y", null, null, null]);
      await append(a, "holes.x", bytes("."));
      expect(await stream.lastMessage("holes.x")).toMatchObject({ seq: 6 });
    },
  },
  {
    title: "a purge far beyond the end moves the end",
    run: async (target) => {
      await target.createStream("beyond");
      const a = await target.connect();
      await append(a, "beyond.x", bytes("."));
      await a.stream("beyond").purge({ belowSeq: 100 });
      expect(await a.stream("beyond").info()).toMatchObject({ firstSeq: 100, lastSeq: 99 });
      expect(await append(a, "beyond.x", bytes("."))).toEqual({ ok: true, seq: 100 });
    },
  },
];
