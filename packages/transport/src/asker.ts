/** Asks the leading coordinator, again and again until one answers or the time is over. */
import {
  type Answer,
  AskRefusedError,
  decodeReply,
  encodeAsk,
  NoLeaderError,
  type Question,
  ResultExpiredError,
  type Subjects,
} from "@weft/protocol";
import { pause } from "./clock.ts";
import type { Connection } from "./connection.ts";

export type AskOptions = {
  /** Only a leader that has folded this far may answer. @default 0 */
  readonly afterSeq?: number;
  /** @default 5000 */
  readonly timeoutMs?: number;
  /** After which it is asked again. @default 1000 */
  readonly attemptTimeoutMs?: number;
};

const TIMEOUT_MS = 5_000;
const ATTEMPT_TIMEOUT_MS = 1_000;
const RETRY_WAIT_MS = 100;

/** Questions with an answer of their own kind; the answer to any other is a report. */
const ANSWERED_IN_KIND: ReadonlySet<Question["type"]> = new Set(["states", "values", "chunk"]);

export type AnswerOf<T extends Question["type"]> = Extract<
  Answer,
  { type: T extends "states" | "values" | "chunk" ? T : "report" }
>;

export async function ask<T extends Question["type"]>(
  connection: Connection,
  subjects: Subjects,
  question: Question & { readonly type: T },
  options: AskOptions = {},
): Promise<AnswerOf<T>> {
  const payload = encodeAsk({ afterSeq: options.afterSeq ?? 0, question });
  const subject = subjects.ask(0, connection.sender);
  const limitMs = options.timeoutMs ?? TIMEOUT_MS;
  const attemptMs = options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS;
  const startedMs = connection.clock.nowMs();
  for (;;) {
    const leftMs = Math.max(1, limitMs - (connection.clock.nowMs() - startedMs));
    const answer = await once(connection, subject, payload, Math.min(attemptMs, leftMs));
    if (answer?.type === "refused") throw new AskRefusedError(answer.message);
    if (answer?.type === "expired") throw new ResultExpiredError(answer.id);
    const wanted = ANSWERED_IN_KIND.has(question.type) ? question.type : "report";
    if (answer?.type === wanted) return answer as AnswerOf<T>;
    const triedMs = connection.clock.nowMs() - startedMs;
    if (triedMs + RETRY_WAIT_MS >= limitMs) throw new NoLeaderError(subjects.namespace, triedMs);
    await pause(connection.clock, RETRY_WAIT_MS);
  }
}

/** Null where nobody answered, or not in the words of the protocol. */
async function once(
  connection: Connection,
  subject: string,
  payload: Uint8Array,
  timeout: number,
): Promise<Answer | null> {
  try {
    const message = await connection.nats.request(subject, payload, { timeout });
    const reply = decodeReply(message.data);
    return reply.ok ? reply.value.answer : null;
  } catch (error) {
    if (connection.nats.isClosed()) throw error;
    return null;
  }
}
