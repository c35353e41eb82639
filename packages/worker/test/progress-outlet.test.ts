/** What leaves the worker of what its tasks report, and when. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import {
  decodeProgress,
  Identity,
  lastToken,
  Namespace,
  type ProgressReport,
  Subjects,
  type TaskId,
} from "@weft/protocol";
import { systemClock } from "@weft/transport";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type NatsServer, startNatsServer, waitUntil } from "../../testing/src/index.ts";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { ProgressOutlet } from "../src/progress-outlet.ts";
import { taskId } from "./assignment.ts";

const subjects = new Subjects(Namespace.parse("default"));
const owner = Identity.parse("client");
const first = { id: taskId(1), attempt: 1, owner };
let server: NatsServer;
let nats: NatsConnection;
let outlet: ProgressOutlet;
let heard: { readonly task: TaskId; readonly report: ProgressReport | null }[] = [];

beforeAll(async () => {
  server = await startNatsServer();
  nats = await connect({ servers: server.url });
  nats.subscribe(subjects.progressOf(owner), {
    callback: (_error, { subject, data }) =>
      void heard.push({
        task: lastToken(subject) as TaskId,
        report: decodeProgress(data),
      }),
  });
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});
beforeEach(async () => {
  outlet?.stop();
  await nats.flush();
  heard = [];
  outlet = new ProgressOutlet({ nats, clock: systemClock }, subjects);
});

const said = (fraction: number, message?: string, data?: unknown) => ({ fraction, message, data });
const fractions = (): (number | undefined)[] => heard.map(({ report }) => report?.fraction);

describe("a report", () => {
  test("that is the first one leaves at once, with all that it says and nothing that it does not", async () => {
    outlet.report(first, said(0.25));
    await nats.flush();
    expect(heard.map(({ report }) => report)).toEqual([{ task: first.id, attempt: 1, fraction: 0.25 }]);
    outlet.report(first, said(0.5, "half", { rows: 2 }));
    await waitUntil(() => heard.length === 2);
    expect(heard[1]?.report).toEqual({
      task: first.id,
      attempt: 1,
      fraction: 0.5,
      message: "half",
      data: { rows: 2 },
    });
  });

  test("of thousands waits its turn: few leave, in order, never two within 50 ms, and the last one does", async () => {
    const bus = new FakeBus();
    const { loop } = bus;
    const sent: { readonly atMs: number; readonly fraction: number | undefined }[] = [];
    bus.connection("client", bus.process("c1")).nats.subscribe(subjects.progressOf(owner), {
      callback: (_error, { data }) =>
        void sent.push({ atMs: loop.nowMs, fraction: decodeProgress(data)?.fraction }),
    });
    const throttled = new ProgressOutlet(bus.connection("worker", bus.process("w1")), subjects);
    for (let i = 0; i <= 1_000; i++) {
      throttled.report(first, said(i / 1_000));
      if (i % 10 === 0) await loop.play(loop.nowMs + 1);
    }
    await loop.play(loop.nowMs + 1_000);
    throttled.stop();
    const told = sent.map(({ fraction }) => fraction ?? 0);
    // 1,001 reports in 101 ms: the first, one for each 50 ms, and the last.
    expect(told).toHaveLength(4);
    expect([told[0], told.at(-1)]).toEqual([0, 1]);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    const waits = sent.slice(1).map(({ atMs }, index) => atMs - (sent[index]?.atMs ?? 0));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(50);
  });

  test("that goes back, or repeats, is told as it is", async () => {
    for (const fraction of [0.9, 0.1, 0.1]) {
      const before = heard.length;
      outlet.report(first, said(fraction));
      await waitUntil(() => heard.length > before);
    }
    expect(fractions()).toEqual([0.9, 0.1, 0.1]);
  });

  test("of one task holds up none of another", async () => {
    const ids = Array.from({ length: 50 }, (_, i) => taskId(i));
    for (const id of ids) outlet.report({ id, attempt: 1, owner }, said(0.5));
    await nats.flush();
    expect(heard.map(({ task }) => task)).toEqual(ids);
  });
});

describe("the end of an attempt", () => {
  test("takes the last value with it, sent or not", () => {
    outlet.report(first, said(0.1));
    outlet.report(first, said(0.2));
    outlet.report(first, said(0.3, "last"));
    expect(decodeProgress(outlet.close(first.id, 1) ?? new Uint8Array())).toMatchObject({
      fraction: 0.3,
      message: "last",
    });
  });

  test("is without progress where none was reported, and where another attempt has taken its place", () => {
    expect(outlet.close(first.id, 1)).toBeNull();
    outlet.report(first, said(0.1));
    outlet.report({ ...first, attempt: 2 }, said(0.2));
    expect(outlet.close(first.id, 1)).toBeNull();
    expect(decodeProgress(outlet.close(first.id, 2) ?? new Uint8Array())).toMatchObject({ fraction: 0.2 });
  });

  test("silences it: what was waiting does not leave behind the outcome", async () => {
    outlet.report(first, said(0.1));
    outlet.report(first, said(0.2));
    outlet.close(first.id, 1);
    outlet.report({ id: taskId(2), attempt: 1, owner }, said(0.1));
    outlet.report({ id: taskId(2), attempt: 1, owner }, said(0.9));
    await waitUntil(() => fractions().at(-1) === 0.9);
    expect(heard.filter(({ task }) => task === first.id).map(({ report }) => report?.fraction)).toEqual([
      0.1,
    ]);
  });
});

describe("an outlet that was stopped", () => {
  test("has no timer left, and what code that was left behind reports starts none", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    outlet.report(first, said(0.1));
    outlet.report(first, said(0.2));
    expect(timers()).toBe(before + 1);
    outlet.stop();
    outlet.report(first, said(0.3));
    outlet.report(first, said(0.4));
    expect(timers()).toBe(before);
  });

  test("is not disturbed by a connection that drains or is closed", async () => {
    const closing = await connect({ servers: server.url });
    const own = new ProgressOutlet({ nats: closing, clock: systemClock }, subjects);
    own.report(first, said(0.1));
    const drained = closing.drain();
    own.stop();
    own.report(first, said(0.2));
    await drained;
    own.report(first, said(0.3));
    expect(own.close(first.id, 1)).toBeNull();
  });
});
