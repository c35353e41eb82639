/** The simulated server without faults: what it carries, stores and hands out. */
import { headers, RequestError, TimeoutError } from "@nats-io/transport-node";
import { Identity, InstanceId } from "@weft/protocol";
import { describe, expect, test } from "vitest";
import { Dice, type SimConnection, SimLoop, SimProcess, SimServer } from "../../src/simulation/index.ts";

const parts = (seed = 1): { loop: SimLoop; server: SimServer; connect: (name: string) => SimConnection } => {
  const loop = new SimLoop();
  const dice = new Dice(seed);
  const server = new SimServer(loop, dice.fork());
  server.createStream("LOG", { subjects: ["log.>"] });
  const connect = (name: string): SimConnection =>
    server.connect(
      new SimProcess(name, loop, dice.fork()),
      Identity.parse(name),
      InstanceId.parse(`${name}0123456789abcdefghij`.slice(0, 21)),
    );
  return { loop, server, connect };
};

/** Plays until the work is done. */
const played = async <T>(loop: SimLoop, work: Promise<T>): Promise<T> => {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  ended.catch(() => undefined);
  expect(await loop.play(loop.nowMs + 60_000, () => done)).toBe(true);
  return ended;
};

describe("plain messages", () => {
  test("reach those who listen, in the order of their sender, answers too", async () => {
    const { loop, connect } = parts();
    const [a, b] = [connect("a"), connect("b")];
    const heard: string[] = [];
    b.nats.subscribe("x.*", {
      callback: (_, message) => void heard.push(`${message.subject} ${message.data}`),
    });
    b.nats.subscribe("q", { callback: (_, message) => void message.respond(message.data) });
    await played(loop, b.nats.flush());
    for (let i = 0; i < 20; i++) a.nats.publish("x.y", Uint8Array.of(i));
    expect((await played(loop, a.nats.request("q", Uint8Array.of(7), { timeout: 100 }))).data).toEqual(
      Uint8Array.of(7),
    );
    await loop.play(loop.nowMs + 10);
    expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => `x.y ${i}`));
  });

  test("without a listener are refused to those who ask, and late answers are no answers", async () => {
    const { loop, connect } = parts();
    const [a, b] = [connect("a"), connect("b")];
    const refused = await played(
      loop,
      a.nats.request("nobody", undefined, { timeout: 100 }).catch((error: unknown) => error),
    );
    expect(refused).toBeInstanceOf(RequestError);
    expect((refused as RequestError).isNoResponders()).toBe(true);
    b.nats.subscribe("mute", { callback: () => undefined });
    await played(loop, b.nats.flush());
    const late = await played(
      loop,
      a.nats.request("mute", undefined, { timeout: 100 }).catch((error: unknown) => error),
    );
    expect(late).toBeInstanceOf(TimeoutError);
  });
});

describe("a stream", () => {
  test("acknowledges, guards, follows and purges", async () => {
    const { loop, connect } = parts();
    const a = connect("a");
    const guarded = async (seq: number): Promise<unknown> => {
      const guard = headers();
      guard.set("Nats-Expected-Last-Subject-Sequence", String(seq));
      const { data } = await a.nats.request("log.x", Uint8Array.of(seq), { timeout: 1_000, headers: guard });
      return JSON.parse(new TextDecoder().decode(data));
    };
    expect(await played(loop, guarded(0))).toEqual({ stream: "LOG", seq: 1 });
    expect(await played(loop, guarded(0))).toMatchObject({ error: { err_code: 10071 } });
    expect(await played(loop, guarded(1))).toEqual({ stream: "LOG", seq: 2 });
    const seen: string[] = [];
    a.nats.subscribe("deliver", {
      callback: (_, message) => void seen.push(`${message.subject} ${message.reply?.split(".")[5]}`),
    });
    const stream = a.stream("LOG");
    const pending = await played(
      loop,
      stream.follow({ deliverTo: "deliver", fromSeq: 1, heartbeatMs: 1_000 }),
    );
    expect(pending).toBe(2);
    await loop.play(loop.nowMs + 10);
    expect(seen).toEqual(["log.x 1", "log.x 2"]);
    await played(loop, stream.purge({ belowSeq: 2 }));
    expect(await played(loop, stream.info())).toMatchObject({ firstSeq: 2, lastSeq: 2 });
    expect(await played(loop, stream.message(1))).toBeNull();
    expect(await played(loop, stream.lastMessage("log.x"))).toMatchObject({ seq: 2, subject: "log.x" });
  });
});
