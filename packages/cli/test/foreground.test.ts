/** A process in the foreground stops as it is told, from before its start on. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Running, runInForeground } from "../src/foreground.ts";

const lines: string[] = [];
const log = (line: string): void => void lines.push(line);
const signal = (): boolean => process.emit("SIGHUP", "SIGHUP");

beforeEach(() => {
  lines.length = 0;
  vi.useFakeTimers();
  vi.spyOn(process, "exit").mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a signal", () => {
  test("that comes while it starts stops it gracefully once it has started", async () => {
    const started = Promise.withResolvers<Running>();
    const stop = vi.fn(async () => undefined);
    const over = runInForeground({ start: () => started.promise, log });
    signal();
    expect(stop).not.toHaveBeenCalled();
    started.resolve({ stop });
    await over;
    expect(stop).toHaveBeenCalledOnce();
    expect(lines).toEqual(["SIGHUP: stops gracefully, once more stops at once"]);
    vi.advanceTimersByTime(60_000);
    expect(process.exit).not.toHaveBeenCalled();
  });

  test("ends a start that takes longer, with what has been started", async () => {
    const started = Promise.withResolvers<Running>();
    const abandon = vi.fn();
    const over = runInForeground({ start: () => started.promise, abandon, log });
    signal();
    expect(() => vi.advanceTimersByTime(1_000)).toThrow("exit 129");
    expect(abandon).toHaveBeenCalledOnce();
    started.reject(new Error("unreachable"));
    await expect(over).rejects.toThrow("unreachable");
  });

  test("stops it gracefully, and a second one at once", async () => {
    const stopped = Promise.withResolvers<void>();
    const abandon = vi.fn();
    const over = runInForeground({ start: async () => ({ stop: () => stopped.promise }), abandon, log });
    signal();
    expect(signal).toThrow("exit 129");
    expect(abandon).toHaveBeenCalledOnce();
    stopped.resolve();
    await over;
    expect(process.listenerCount("SIGHUP")).toBe(0);
  });
});

test("it ends with the error that it ended with by itself, and none where it was stopped", async () => {
  const stop = async (): Promise<void> => undefined;
  const ended = Promise.resolve(new Error("a defect"));
  await expect(runInForeground({ start: async () => ({ stop, ended }), log })).rejects.toThrow("a defect");
  await runInForeground({ start: async () => ({ stop, ended: Promise.resolve(null) }), log });
  expect(process.listenerCount("SIGHUP")).toBe(0);
});
