/** The appender against a connection that answers when the test says so, with a clock that stands still meanwhile. */
import { AppendOutcomeUnknownError, ClosedError, TooManyPendingError } from "@weft/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type AckError, Appender, systemClock } from "../src/index.ts";
import { encode, FakeNats, itemsOf, NotedItem } from "./appender-support.ts";

let nats: FakeNats;
let troubles: (AckError | null)[];
let appender: Appender<string, NotedItem>;

function open(pendingMax = 1_000): void {
  appender = new Appender<string, NotedItem>({
    connection: nats.connection,
    stream: "LOG",
    noun: "tasks",
    subject: (kind) => `log.${kind}`,
    encode,
    onTrouble: (trouble) => troubles.push(trouble),
    pendingMax,
  });
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "performance"] });
  nats = new FakeNats();
  troubles = [];
  open();
});
afterEach(() => {
  appender.close();
  vi.useRealTimers();
});

/** What is added in one turn of the event loop is sent by its end. */
async function add(kind: string, ...items: readonly NotedItem[]): Promise<void> {
  for (const each of items) appender.add(kind, each);
  await new Promise((over) => setImmediate(over));
}
const texts = (): string[] => nats.published.map(({ text }) => text);

describe("what is added", () => {
  test("in one turn goes out in one record, to the subject of its kind", async () => {
    await add("submit", ...itemsOf(3));
    expect(nats.published).toMatchObject([{ subject: "log.submit", text: "1 submit: 0 1 2" }]);
    await add("cancel", new NotedItem("x"));
    expect(nats.published[1]).toMatchObject({ subject: "log.cancel", text: "2 cancel: x" });
  });

  test("goes out at once where it fills a record", () => {
    for (let i = 0; i < 3; i++) appender.add("submit", new NotedItem(String(i), 100 * 1024));
    expect(texts()).toEqual(["1 submit: 0 1"]);
  });

  test("leaves after the call, with all that follows from it, where nothing is on its way", async () => {
    appender.add("submit", new NotedItem("a"));
    let isNextTurn = false;
    setImmediate(() => {
      isNextTurn = true;
    });
    for (const name of ["b", "c", "d"]) {
      await Promise.resolve();
      appender.add("submit", new NotedItem(name));
    }
    expect(texts()).toEqual([]);
    await new Promise<void>((over) => systemClock.endOfCall(over));
    expect([texts(), isNextTurn]).toEqual([["1 submit: a b c d"], false]);
  });

  test("gathers for the rest of the turn where something is on its way", async () => {
    await add("submit", new NotedItem("a"));
    appender.add("submit", new NotedItem("b"));
    await new Promise<void>((over) => systemClock.endOfCall(over));
    appender.add("submit", new NotedItem("c"));
    expect(texts()).toHaveLength(1);
    await new Promise((over) => setImmediate(over));
    expect(texts()[1]).toBe("2 submit: b c");
  });

  test("in a loop leaves in full records before the first is acknowledged, up to 32 of them", async () => {
    appender.close();
    open(100_000);
    for (const each of itemsOf(640 * 33 + 1)) appender.add("submit", each);
    expect(texts().map((text) => text.split(" ").length - 2)).toEqual(Array.from({ length: 32 }, () => 640));
    await new Promise((over) => setImmediate(over));
    expect(texts()).toHaveLength(32);
    nats.acknowledge(0, 1);
    expect(texts()).toHaveLength(33);
    for (let number = 1; number < 29; number++) nats.acknowledge(number, 1 + number);
    expect(texts()).toHaveLength(33);
    nats.acknowledge(29, 30);
    expect(texts().at(-1)).toBe(`34 submit: ${640 * 33}`);
  });

  test("is told with the number of its record before that is encoded", async () => {
    const seen: string[] = [];
    appender.close();
    appender = new Appender<string, NotedItem>({
      connection: nats.connection,
      stream: "LOG",
      noun: "tasks",
      subject: (kind) => kind,
      packed: ({ name }, number) => void seen.push(`${name} in ${number}`),
      encode: (record) => {
        seen.push(`record ${record.number}`);
        return encode(record);
      },
    });
    await add("submit", new NotedItem("a"), new NotedItem("b"));
    // This one fills a record, which leaves at once.
    await add("submit", new NotedItem("c", 300 * 1024));
    expect(seen).toEqual(["a in 1", "b in 1", "record 1", "c in 2", "record 2"]);
  });

  test("is acknowledged at the sequence of its record, each item once", async () => {
    const items = itemsOf(3);
    await add("submit", ...items);
    expect(appender.pending).toBe(3);
    nats.acknowledge(0, 41);
    nats.acknowledge(0, 42);
    expect(items.map(({ seqs }) => seqs)).toEqual([[41], [41], [41]]);
    expect(appender.pending).toBe(0);
  });

  test("while four records are out waits, and goes into one record as soon as one of them is in", async () => {
    for (const name of ["a", "b", "c", "d", "e", "f"]) await add("submit", new NotedItem(name));
    expect(texts()).toEqual(["1 submit: a", "2 submit: b", "3 submit: c", "4 submit: d"]);
    nats.acknowledge(2, 9);
    expect(texts().slice(4)).toEqual(["5 submit: e f"]);
  });

  test("is answered on a subject under the own inbox that nobody can guess", async () => {
    await add("submit", new NotedItem("a"));
    expect(nats.published[0]?.reply).toMatch(/^_I\.me\.i1\.[A-Za-z0-9_-]{16}\.1$/);
  });

  test("beyond the bound is refused, until some of it is in", async () => {
    appender.close();
    open(3);
    await add("submit", ...itemsOf(3));
    expect(() => appender.add("submit", new NotedItem("more"))).toThrow(TooManyPendingError);
    expect(() => appender.add("submit", new NotedItem("more"))).toThrow("3 tasks wait already");
    expect(appender.pending).toBe(3);
    nats.acknowledge(0, 1);
    await add("submit", new NotedItem("again"));
    expect(texts().at(-1)).toBe("2 submit: again");
  });
});

describe("while it is held", () => {
  test("nothing new goes out, what is out is repeated, and all goes out once the hold is over", async () => {
    await add("submit", new NotedItem("a"));
    appender.hold(5_000);
    expect(appender.isHeld).toBe(true);
    await add("submit", new NotedItem("b"));
    vi.advanceTimersByTime(2_100);
    expect(texts()).toEqual(["1 submit: a", "1 submit: a"]);
    nats.acknowledge(0, 1);
    appender.hold(5_000);
    vi.advanceTimersByTime(4_900);
    expect(texts()).toHaveLength(2);
    vi.advanceTimersByTime(200);
    expect(appender.isHeld).toBe(false);
    expect(texts().slice(2)).toEqual(["2 submit: b"]);
  });
});

describe("a record that nobody answers", () => {
  test("is sent again every two seconds, unchanged (O1), and its trouble is told", async () => {
    const only = new NotedItem("a");
    await add("submit", only);
    vi.advanceTimersByTime(1_900);
    expect([texts().length, troubles]).toEqual([1, []]);
    vi.advanceTimersByTime(200);
    expect(texts()).toEqual(["1 submit: a", "1 submit: a"]);
    expect(nats.published[1]?.reply).toBe(nats.published[0]?.reply);
    expect(troubles).toEqual([{ code: 0, message: "no acknowledgement in time" }]);
    vi.advanceTimersByTime(60_000);
    expect(texts().length).toBeGreaterThan(25);
    expect(texts().length).toBeLessThan(35);
    nats.acknowledge(0, 5);
    expect([only.seqs, troubles.at(-1)]).toEqual([[5], null]);
    const sent = texts().length;
    vi.advanceTimersByTime(60_000);
    expect(texts().length).toBe(sent);
  });

  test("is not told of by a process that was held up, before it has read what came meanwhile", async () => {
    const { nowMs } = systemClock;
    let heldUpMs = 0;
    const clock = vi.spyOn(systemClock, "nowMs").mockImplementation(() => nowMs() + heldUpMs);
    const holdUp = (): void => {
      heldUpMs += 3_000;
      vi.advanceTimersByTime(25);
    };
    await add("submit", new NotedItem("a"));
    // From the first look on there is one each 25 ms.
    vi.advanceTimersByTime(100);
    holdUp();
    expect([texts().length, troubles]).toEqual([1, []]);
    vi.advanceTimersByTime(25);
    expect([texts().length, troubles.length]).toEqual([2, 1]);
    // One that is held up all the time sends again as well.
    for (let time = 0; time < 4; time++) holdUp();
    expect(texts()).toHaveLength(4);
    clock.mockRestore();
  });

  test("is not sent again while acknowledgements of what is before it come, however slowly", async () => {
    for (let i = 0; i < 4; i++) await add("submit", new NotedItem(String(i)));
    for (let number = 0; number < 3; number++) {
      vi.advanceTimersByTime(1_500);
      nats.acknowledge(number, 1 + number);
    }
    vi.advanceTimersByTime(1_900);
    expect(texts()).toHaveLength(4);
    vi.advanceTimersByTime(200);
    expect(texts().slice(4)).toEqual(["4 submit: 3"]);
  });

  test("is sent again in its time where what is behind it is acknowledged", async () => {
    for (let i = 0; i < 3; i++) await add("submit", new NotedItem(String(i)));
    vi.advanceTimersByTime(1_500);
    nats.acknowledge(1, 1);
    vi.advanceTimersByTime(600);
    expect(texts().slice(3)).toEqual(["1 submit: 0"]);
    vi.advanceTimersByTime(2_000);
    expect(texts().slice(4)).toEqual(["3 submit: 2", "1 submit: 0"]);
  });

  test("is sent again at once where the owner says so, as after a reconnect", async () => {
    for (const name of ["a", "b"]) await add("submit", new NotedItem(name));
    nats.acknowledge(0, 1);
    appender.resend();
    expect(texts().slice(2)).toEqual(["2 submit: b"]);
  });

  test("is kept while the connection is closed", async () => {
    nats.closed = true;
    await add("submit", new NotedItem("a"));
    vi.advanceTimersByTime(5_000);
    expect([texts(), appender.pending]).toEqual([[], 1]);
  });
});

describe("a record that the log refuses", () => {
  const refusal = { error: { err_code: 10077, description: "maximum bytes exceeded" } };

  test("is kept and sent again, after a wait that grows to a second", async () => {
    const only = new NotedItem("a");
    await add("submit", only);
    const waits: number[] = [];
    for (let round = 0; round < 8; round++) {
      nats.answer(texts().length - 1, refusal);
      const sent = texts().length;
      let waited = 0;
      for (; texts().length === sent && waited < 3_000; waited += 25) vi.advanceTimersByTime(25);
      waits.push(waited);
    }
    expect(waits.every((each, at) => at === 0 || each >= (waits[at - 1] ?? 0))).toBe(true);
    expect(waits[0]).toBeLessThanOrEqual(75);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(1_000);
    expect(waits.at(-1)).toBeLessThanOrEqual(1_050);
    expect(new Set(texts())).toEqual(new Set(["1 submit: a"]));
    expect(troubles).toEqual([{ code: 10077, message: "maximum bytes exceeded" }]);
    nats.acknowledge(0, 3);
    expect([only.seqs, only.errors, troubles.at(-1)]).toEqual([[3], [], null]);
  });

  test("stays in the window: what comes after it does not pile up at the server", async () => {
    for (let i = 0; i < 9; i++) await add("submit", new NotedItem(String(i)));
    for (let i = 0; i < 4; i++) nats.answer(i, refusal);
    vi.advanceTimersByTime(10_000);
    expect(new Set(texts()).size).toBe(4);
  });

  test("is not settled by an acknowledgement of another stream", async () => {
    const only = new NotedItem("a");
    await add("submit", only);
    nats.answer(0, { stream: "OTHER", seq: 1 });
    expect([only.seqs, appender.pending]).toEqual([[], 1]);
  });
});

describe("when it is closed", () => {
  test("what was sent or waited is told that its outcome is not known, once", async () => {
    const items = itemsOf(7);
    for (const each of items) await add("submit", each);
    nats.acknowledge(0, 1);
    appender.close();
    appender.close();
    nats.acknowledge(1, 2);
    expect(items.map(({ seqs, errors }) => [seqs.length, errors.length])).toEqual([
      [1, 0],
      ...new Array(6).fill([0, 1]),
    ]);
    expect(items[6]?.errors[0]).toBeInstanceOf(AppendOutcomeUnknownError);
    expect(items[6]?.errors[0]?.message).toBe(
      "closed while 6 tasks were not acknowledged: the log may or may not have them",
    );
    expect([appender.pending, nats.subscribed]).toEqual([0, false]);
  });

  test("nothing more is sent, not even what was added in the same turn", async () => {
    const late = new NotedItem("late");
    appender.add("submit", late);
    appender.close();
    await Promise.resolve();
    vi.advanceTimersByTime(10_000);
    expect([texts(), late.errors.length]).toEqual([[], 1]);
  });

  test("nothing more is taken", () => {
    appender.close();
    expect(() => appender.add("submit", new NotedItem("a"))).toThrow(ClosedError);
  });
});

describe("who waits for it to be idle", () => {
  test("goes on when the last item is acknowledged, and not before", async () => {
    await appender.idle();
    for (const name of ["a", "b"]) await add("submit", new NotedItem(name));
    let idle = false;
    const waiting = appender.idle().then(() => {
      idle = true;
    });
    nats.acknowledge(0, 1);
    await Promise.resolve();
    expect(idle).toBe(false);
    nats.acknowledge(1, 2);
    await waiting;
  });

  test("goes on when it is closed", async () => {
    await add("submit", new NotedItem("a"));
    const waiting = appender.idle();
    appender.close();
    await waiting;
  });
});
