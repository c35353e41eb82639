/** A handle's promises H1 to H4, without a cluster. */
import { inspect } from "node:util";
import { ClosedError, UsageError } from "@weft/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { waitUntil } from "../../testing/src/index.ts";
import { closed, failed, handleOf, id, reportOf, succeeded } from "./handle-host.ts";

const turn = (): Promise<void> => new Promise((next) => setImmediate(next));
const unheard: unknown[] = [];
const hear = (reason: unknown): void => void unheard.push(reason);
beforeEach(() => {
  unheard.length = 0;
  process.on("unhandledRejection", hear);
});
afterEach(async () => {
  await turn();
  process.off("unhandledRejection", hear);
  expect(unheard).toEqual([]);
});

describe("a handle's callbacks (H1, H2, H3)", () => {
  test("run in order: progress before the outcome, each awaited before the next", async () => {
    const { handle } = handleOf<string>();
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    handle
      .onProgress(async ({ fraction }) => {
        await gate.promise;
        seen.push(`progress ${fraction}`);
      })
      .onComplete((value) => seen.push(`complete ${value}`));
    handle.progressed(reportOf(0.5));
    handle.settle(succeeded("done"));
    await turn();
    expect(seen).toEqual([]);
    expect(await handle.result()).toBe("done");
    gate.resolve();
    await waitUntil(() => seen.length === 2);
    expect(seen).toEqual(["progress 0.5", "complete done"]);
  });

  test("that throw are reported and harm neither the others nor the result", async () => {
    const { handle, host } = handleOf<number>();
    const seen: number[] = [];
    handle
      .onProgress(() => {
        throw new Error("in progress");
      })
      .onComplete(() => Promise.reject(new Error("in complete")))
      .onComplete((value) => seen.push(value));
    handle.progressed(reportOf(0.5));
    handle.settle(succeeded(7));
    await waitUntil(() => seen.length === 1);
    expect(host.errors).toEqual(["in progress", "in complete"]);
    expect(await handle.result()).toBe(7);
  });

  test("that never resolve hold up those behind them, and no other handle, no result and no state", async () => {
    const stuck = handleOf<number>();
    const other = handleOf<number>();
    const seen: string[] = [];
    stuck.handle.onComplete(() => new Promise(() => undefined)).onComplete(() => seen.push("behind"));
    other.handle.onComplete(() => seen.push("other"));
    stuck.handle.settle(succeeded(1));
    other.handle.settle(succeeded(2));
    expect(await stuck.handle.result()).toBe(1);
    expect(await stuck.handle.state()).toBe("succeeded");
    await turn();
    expect(seen).toEqual(["other"]);
  });

  test("that are added after the fact fire at once, for the outcome that was, and progress once", () => {
    const done = handleOf<number>();
    done.handle.progressed(reportOf(0.5));
    done.handle.settle(succeeded(1));
    const seen: string[] = [];
    done.handle
      .onProgress(({ fraction }) => seen.push(`progress ${fraction}`))
      .onError(() => seen.push("error"))
      .onComplete((value) => seen.push(`complete ${value}`));
    expect(seen).toEqual(["progress 0.5", "complete 1"]);
    expect(done.host.listening).toBe(0);
    const bad = handleOf();
    bad.handle.settle(failed(new Error("why")));
    bad.handle.onComplete(() => seen.push("complete")).onError((error) => seen.push(error.message));
    expect(seen).toEqual(["progress 0.5", "complete 1", "why"]);
  });

  test("that are added twice are called twice, and many are called in the order of their adding", () => {
    const { handle } = handleOf<number>();
    const seen: number[] = [];
    const same = (): void => void seen.push(-1);
    handle.onComplete(same).onComplete(same);
    for (let i = 0; i < 100; i++) handle.onComplete(() => seen.push(i));
    handle.settle(succeeded(1));
    expect(seen).toEqual([-1, -1, ...Array.from({ length: 100 }, (_, i) => i)]);
  });
});

describe("a handle's progress", () => {
  test("does not pile up before a slow callback: it gets the newest when it is ready", async () => {
    const { handle } = handleOf();
    const seen: number[] = [];
    let gate = Promise.withResolvers<void>();
    handle.onProgress(async ({ fraction }) => {
      seen.push(fraction);
      await gate.promise;
    });
    for (let i = 1; i <= 1_000; i++) handle.progressed(reportOf(i / 1_000));
    expect(seen).toEqual([0.001]);
    const first = gate;
    gate = Promise.withResolvers();
    first.resolve();
    await waitUntil(() => seen.length === 2);
    gate.resolve();
    await turn();
    expect(seen).toEqual([0.001, 1]);
  });

  test("never goes back for a callback that joins while another one is slow, and is told it once", async () => {
    const { handle } = handleOf();
    const gate = Promise.withResolvers<void>();
    const late: number[] = [];
    handle.onProgress(() => gate.promise);
    handle.progressed(reportOf(0.1));
    handle.progressed(reportOf(0.5));
    handle.onProgress(({ fraction }) => late.push(fraction));
    handle.progressed(reportOf(0.9));
    gate.resolve();
    await waitUntil(() => late.length > 0);
    await turn();
    expect(late).toEqual([0.9]);
  });

  test("that is told again is not told again, and one of an older attempt or after the outcome is ignored", () => {
    const { handle } = handleOf();
    const seen: unknown[] = [];
    handle.onProgress(({ fraction, data }) => seen.push(data ?? fraction));
    handle.progressed(reportOf(0.5));
    handle.progressed(reportOf(0.5));
    handle.progressed(reportOf(0.5, { data: { rows: 1 } }));
    handle.progressed(reportOf(0.5, { data: { rows: 1 } }));
    handle.progressed(reportOf(0.1, { attempt: 2 }));
    handle.progressed(reportOf(0.9, { attempt: 1 }));
    handle.settle(succeeded(1));
    handle.progressed(reportOf(1, { attempt: 2 }));
    expect(seen).toEqual([0.5, { rows: 1 }, 0.1]);
  });

  test("is asked for when somebody listens, and not before", () => {
    const { handle, host } = handleOf();
    handle.onComplete(() => undefined).onError(() => undefined);
    expect(host.listening).toBe(0);
    handle.onProgress(() => undefined);
    expect(host.listening).toBe(1);
  });
});

describe("a handle settles once (H4)", () => {
  test("and later outcomes, or a close, change nothing", async () => {
    const { handle } = handleOf<number>();
    const seen: unknown[] = [];
    handle.onComplete((value) => seen.push(value)).onError((error) => seen.push(error));
    handle.settle(succeeded(1));
    handle.settle(succeeded(2));
    handle.settle(failed(new Error("too late")));
    handle.close(closed());
    expect(seen).toEqual([1]);
    expect(await handle.result()).toBe(1);
    expect(handle.tryResult()).toEqual({ value: 1 });
  });

  test("with one value for everybody who asks, a thousand times, before and after", async () => {
    const { handle } = handleOf<object>();
    const value = { of: "everybody" };
    const before = Array.from({ length: 1_000 }, () => handle.result());
    expect(handle.tryResult()).toBeNull();
    handle.settle(succeeded(value));
    const after = Array.from({ length: 1_000 }, () => handle.result());
    for (const each of await Promise.all([...before, ...after])) expect(each).toBe(value);
  });

  test("with one error for everybody who asks, and settled does not reject", async () => {
    const { handle } = handleOf();
    const error = new Error("why");
    const before = Array.from({ length: 1_000 }, () => handle.result());
    handle.settle(failed(error));
    for (const each of await Promise.allSettled(before)) {
      expect(each).toEqual({ status: "rejected", reason: error });
    }
    expect((await handle.settled()).error).toBe(error);
    expect(() => handle.tryResult()).toThrow(error);
  });

  test("and a failure that nobody looks at is no unhandled rejection", async () => {
    const alone = handleOf();
    alone.handle.settle(failed(new Error("unheard")));
    const listened = handleOf();
    listened.handle.onComplete(() => undefined).onProgress(() => undefined);
    listened.handle.settle(failed(new Error("unheard")));
    const watched = handleOf();
    watched.handle.settled().catch(() => undefined);
    watched.handle.settle(failed(new Error("unheard")));
    await turn();
    expect(unheard).toEqual([]);
  });
});

describe("a handle whose client closes", () => {
  test("rejects what waits and whatever is asked later, with ClosedError", async () => {
    const { handle, host } = handleOf();
    const waiting = [handle.result(), handle.settled(), handle.cancel()];
    handle.close(closed());
    for (const each of await Promise.allSettled(waiting)) {
      expect(each.status === "rejected" && each.reason).toBeInstanceOf(ClosedError);
    }
    await expect(handle.result()).rejects.toThrow(ClosedError);
    await expect(handle.cancel()).rejects.toThrow(ClosedError);
    expect(handle.tryResult()).toBeNull();
    expect(host.cancels).toHaveLength(1);
  });

  test("and that nobody awaits rejects nothing", async () => {
    const { handle } = handleOf();
    handle.onComplete(() => undefined).onError(() => undefined);
    handle.close(closed());
    handle.close(closed());
    await turn();
    expect(unheard).toEqual([]);
  });
});

describe("a cancel", () => {
  test("is passed on with its reason and resolves with how the task ended", async () => {
    const { handle, host } = handleOf();
    const answers = [handle.cancel("enough"), handle.cancel()];
    expect(host.cancels).toEqual([
      { reason: "enough", dependents: false },
      { reason: null, dependents: false },
    ]);
    handle.settle({ ...failed(new Error("x")), outcome: "cancelled", stopped: "before_start" });
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ outcome: "cancelled", stopped: "before_start" });
    }
  });

  test("says what becomes of those that wait, and refuses what it does not know", async () => {
    const { handle, host } = handleOf();
    const answer = handle.cancel("enough", { dependents: "cancel" });
    expect(host.cancels).toEqual([{ reason: "enough", dependents: true }]);
    await expect(handle.cancel("enough", { dependants: "cancel" } as never)).rejects.toThrow(UsageError);
    await expect(handle.cancel("enough", { dependents: "keep" } as never)).rejects.toThrow(
      /"fail" or "cancel"/,
    );
    const also = { children: 2, dependents: 3 };
    handle.settle({ ...failed(new Error("x")), outcome: "cancelled", stopped: "terminated", also });
    expect(await answer).toEqual({ outcome: "cancelled", stopped: "terminated", also });
    expect(host.cancels).toHaveLength(1);
  });

  test("of a task that has settled asks nobody and tells how it ended", async () => {
    const { handle, host } = handleOf();
    handle.settle(succeeded(1));
    expect(await handle.cancel()).toMatchObject({ outcome: "succeeded", stopped: null });
    expect(host.cancels).toEqual([]);
  });
});

describe("a large result", () => {
  function laterOf(reading: Promise<ReturnType<typeof succeeded>>): {
    reads: () => number;
    read: () => typeof reading;
  } {
    let count = 0;
    const read = (): typeof reading => {
      count++;
      return reading;
    };
    return { reads: () => count, read };
  }

  test("is not read before somebody asks, and once then; how its task ended is known meanwhile", async () => {
    const { handle, host } = handleOf<string>();
    const later = laterOf(Promise.resolve(succeeded("large")));
    handle.settleLater("succeeded", later.read);
    expect(await handle.state()).toBe("succeeded");
    handle.onProgress(() => undefined);
    expect([host.listening, later.reads()]).toEqual([0, 0]);
    expect(handle.tryResult()).toBeNull();
    expect(await handle.result()).toBe("large");
    expect(handle.tryResult()).toEqual({ value: "large" });
    expect(await handle.cancel()).toMatchObject({ outcome: "succeeded" });
    expect([host.cancels, later.reads()]).toEqual([[], 1]);
  });

  test("is read at once where somebody waits for it, or listens", async () => {
    const waitedFor = handleOf<string>().handle;
    const listenedTo = handleOf<string>().handle;
    const result = waitedFor.result();
    const told = new Promise((complete) => listenedTo.onComplete(complete));
    for (const handle of [waitedFor, listenedTo])
      handle.settleLater("succeeded", () => Promise.resolve(succeeded("large")));
    expect(await result).toBe("large");
    expect(await told).toBe("large");
  });

  test("that its client was closed before it was read is a ClosedError, for all who ask", async () => {
    const { handle } = handleOf<string>();
    handle.settleLater("succeeded", () => Promise.reject(closed()));
    const first = handle.result();
    await expect(first).rejects.toThrow(ClosedError);
    await expect(handle.settled()).rejects.toThrow(ClosedError);
  });
});

test("a handle is no promise and no value: it cannot be awaited by mistake, nor sent", async () => {
  const { handle } = handleOf();
  expect(await (handle as unknown)).toBe(handle);
  expect("then" in handle).toBe(false);
  expect(() => JSON.stringify({ nested: [handle] })).toThrow(UsageError);
  expect(() => JSON.stringify(handle)).toThrow(`the handle of task ${id} cannot be an argument`);
});

test("a handle in a log is its id, its name and its outcome", () => {
  const { handle } = handleOf();
  expect(inspect(handle)).toBe(`TaskHandle { id: '${id}', name: 'task', outcome: null }`);
  handle.settle(succeeded(1));
  expect(inspect({ handle })).toContain("outcome: 'succeeded'");
  const { handle: large } = handleOf();
  large.settleLater("succeeded", () => Promise.reject(closed()));
  expect(inspect(large)).toContain("outcome: 'succeeded'");
});
