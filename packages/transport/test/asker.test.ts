import {
  type Answer,
  type Ask,
  AskRefusedError,
  decodeAsk,
  encodeReply,
  type Identity,
  type InstanceId,
  Namespace,
  NoLeaderError,
  Subjects,
  TaskId,
} from "@weft/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type NatsServer, startNatsServer, waitUntil } from "../../testing/src/index.ts";
import { ask, openConnection, type SystemConnection } from "../src/index.ts";

const subjects = new Subjects(Namespace.parse("shop"));
const ID = TaskId.create(0, 0);
const STATES: Answer = { type: "states", states: [{ type: "unknown", id: ID, expired: "no" }] };

let server: NatsServer;
let connection: SystemConnection;
let leader: SystemConnection;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  connection = await openConnection("me" as Identity, "i1" as InstanceId, { servers: server.url });
  leader = await openConnection("coordinator" as Identity, "k1" as InstanceId, { servers: server.url });
});
afterEach(async () => {
  await connection.nats.close();
  await leader.nats.close();
});

/** A leader that gives these answers, one after the other, the last one again and again; null is silence. */
async function lead(
  ...answers: readonly (Answer | Uint8Array | null)[]
): Promise<{ readonly subject: string; readonly asked: Ask }[]> {
  const heard: { subject: string; asked: Ask }[] = [];
  leader.nats.subscribe(subjects.askAll(0), {
    callback: (_, message) => {
      const read = decodeAsk(message.data);
      if (!read.ok) throw new Error(read.kind);
      const answer = answers[Math.min(heard.length, answers.length - 1)] ?? null;
      heard.push({ subject: message.subject, asked: read.value });
      if (answer === null) return;
      message.respond(
        answer instanceof Uint8Array ? answer : encodeReply({ epoch: 1, foldedSeq: 1, answer }),
      );
    },
  });
  await leader.nats.flush();
  return heard;
}

const askStates = (timeoutMs = 5_000) =>
  ask(connection, subjects, { type: "states", ids: [ID], watch: false }, { timeoutMs, afterSeq: 7 });

async function failureOf(asking: Promise<unknown>): Promise<Error> {
  try {
    await asking;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it was answered");
}

describe("a question", () => {
  test("goes to the leader by the asker's name, and its answer comes back", async () => {
    const heard = await lead(STATES);
    expect(await askStates()).toEqual(STATES);
    expect(heard).toEqual([
      {
        subject: "weft.v1.shop.ask.0.me.i1",
        asked: { afterSeq: 7, question: { type: "states", ids: [ID], watch: false } },
      },
    ]);
  });

  test("of a person is answered with a report", async () => {
    await lead({ type: "report", report: { rows: 3 } });
    expect(await ask(connection, subjects, { type: "info" })).toEqual({
      type: "report",
      report: { rows: 3 },
    });
  });

  test("is asked again where the answer is none, or not to what was asked", async () => {
    const heard = await lead(
      Buffer.from("nonsense"),
      { type: "report", report: 1 },
      { type: "values", values: [] },
      STATES,
    );
    expect(await askStates()).toEqual(STATES);
    expect(heard.length).toBe(4);
  });

  test("is asked again until somebody leads", async () => {
    const asking = askStates(20_000);
    await connection.nats.flush();
    await lead(STATES);
    expect(await asking).toEqual(STATES);
  });

  test("that is refused is not asked again", async () => {
    const heard = await lead({ type: "refused", message: "too many" });
    const error = await failureOf(askStates());
    expect(error).toBeInstanceOf(AskRefusedError);
    expect(error.message).toBe("too many");
    expect(heard.length).toBe(1);
  });
});

describe("without an answer", () => {
  test("of anybody the question ends when its time is over, and tells for how long it was asked", async () => {
    const startedMs = performance.now();
    const error = await failureOf(askStates(600));
    const passedMs = performance.now() - startedMs;
    expect(error).toBeInstanceOf(NoLeaderError);
    expect(error.message).toMatch(/^no leading coordinator of namespace "shop" answered within 0\.[4-9] s: /);
    expect(passedMs).toBeGreaterThan(350);
  });

  test("of a leader that is silent it does not take longer than its time, either", async () => {
    const heard = await lead(null);
    const startedMs = performance.now();
    expect(await failureOf(askStates(1_300))).toBeInstanceOf(NoLeaderError);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    await waitUntil(() => heard.length === 2, { what: "the second question" });
  });

  test("because the connection is closed it ends at once, and says so", async () => {
    await lead(null);
    const asking = failureOf(askStates(60_000));
    await connection.nats.flush();
    await connection.nats.close();
    const error = await asking;
    expect(error).not.toBeInstanceOf(NoLeaderError);
    expect(error.message).toMatch(/clos/i);
  });
});
