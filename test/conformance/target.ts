/** What the cases run on: a server that is simulated, one that is real, or a cluster of three. */
import type { MsgHdrs } from "@nats-io/transport-node";
import { type Ack, type Connection, pause, readAck } from "@weft/transport";
import { expect } from "vitest";

export type StreamSetup = {
  readonly subjects: readonly string[];
  readonly bytesMax?: number;
  readonly messageBytesMax?: number;
};

export type Target = {
  /** Copies of each stream. */
  readonly replicas: 1 | 3;
  connect(): Promise<TestConnection>;
  /** A stream of this name, with itself as the first token of all its subjects. */
  createStream(name: string, setup?: Partial<StreamSetup>): Promise<void>;
  /** Ends the server and starts it again; of a cluster, the node that serves the reader of a stream. */
  restart(stream: string): Promise<void>;
  /** Kills the node that leads a stream, without a restart before the case is over. */
  loseLeader(stream: string): Promise<void>;
};

type Cut = {
  /** How long nothing arrives, before the client notices. */
  readonly mutedMs: number;
  /** How long it then finds no server. */
  readonly downMs: number;
};

export type TestConnection = Connection & {
  /** Resolves when the server has taken what was sent before. */
  flush(): Promise<void>;
  /** Begins to cut the connection. */
  cut(how: Cut): void;
};

export type Case = {
  readonly title: string;
  /** Runs only where streams have this many. @default wherever */
  readonly replicas?: 1 | 3;
  readonly run: (target: Target) => Promise<void>;
};

const APPEND_TIMEOUT_MS = 2_000;

export async function append(
  { nats }: Connection,
  subject: string,
  data: Uint8Array,
  headers?: MsgHdrs,
): Promise<Ack> {
  const stream = subject.slice(0, subject.indexOf("."));
  const guard = headers === undefined ? {} : { headers };
  const answer = await nats.request(subject, data, { timeout: APPEND_TIMEOUT_MS, ...guard });
  return readAck(answer.data, stream);
}

/** The sequence, or the code of the refusal. */
export function resultOf(ack: Ack): string {
  return ack.ok ? `stored ${ack.seq}` : `refused ${ack.error.code}`;
}

/** Waits until a condition holds, on the clock of the connection. */
export async function until({ clock }: Connection, what: string, isTrue: () => boolean): Promise<void> {
  const startedMs = clock.nowMs();
  while (!isTrue()) {
    expect(clock.nowMs() - startedMs, `waited for ${what}`).toBeLessThan(15_000);
    await pause(clock, 5);
  }
}

export async function rejectionOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work.then(() => "it was fulfilled");
  } catch (error) {
    return error;
  }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);
