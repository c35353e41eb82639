import { Writable } from "node:stream";
import { waitUntil } from "@weft/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Stage } from "../src/stage.ts";
import { type View, viewOf } from "../src/view.ts";
import { TerminalScreen } from "./terminal-screen.ts";

function stageOf(name: string, total: number | null, succeeded: number, failed = 0): Stage {
  const stage = new Stage(name);
  return Object.assign(stage, { total, succeeded, failed });
}

describe("in a terminal", () => {
  test("each stage has a bar that moves, and a sentence moves no bar out of its place", async () => {
    const screen = new TerminalScreen();
    const stages = [stageOf("find", 1, 1), stageOf("hash files", 1_500, 500), stageOf("report", null, 0)];
    const view = viewOf(stages, screen);
    const shown = (): string[] => screen.lines.map((line) => line.replace(/[█░]+ /, ""));
    const until = (what: string): Promise<unknown> =>
      waitUntil(() => shown().some((line) => line.includes(what)), { what, story: () => shown().join("\n") });
    await until("hash files 33 % 500 of 1,500");
    view.say("something long happened ".repeat(6).trim());
    await until("something");
    Object.assign(stages[1] ?? {}, { succeeded: 1_499, failed: 1 });
    view.end();
    expect(shown()).toEqual([
      "something long happened something long happened something long happened something long happened some",
      "thing long happened something long happened",
      "find       100 % 1 of 1",
      "hash files 100 % 1,499 of 1,500, 1 failed",
      "report     0 %",
    ]);
    expect(screen.cursorIsVisible).toBe(true);
    expect(screen.wraps).toBe(true);
  });
});

describe("without a terminal", () => {
  let written: string;
  let view: View;
  const stages = [stageOf("find", 1, 0), stageOf("hash files", 4, 0), stageOf("report", null, 0)];
  const [find, hash] = stages as [Stage, Stage, Stage];

  beforeEach(() => {
    vi.useFakeTimers();
    written = "";
    const stream = new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        written += text;
        done();
      },
    });
    view = viewOf(stages, stream);
  });
  afterEach(() => void vi.useRealTimers());

  test("a line says how far the stages are now and then, and another that one is over", () => {
    find.succeeded = 1;
    view.changed();
    view.changed();
    expect(written).toBe("find: 1 of 1\n");
    written = "";
    hash.succeeded = 1;
    for (let ms = 0; ms < 1_000; ms += 10) {
      view.changed();
      vi.advanceTimersByTime(10);
    }
    expect(written).toBe("hash files 1 of 4 (25 %)\n".repeat(2));
    written = "";
    Object.assign(hash, { succeeded: 3, failed: 1 });
    view.end();
    expect(written).toBe("hash files: 3 of 4, 1 failed\n");
  });
});
