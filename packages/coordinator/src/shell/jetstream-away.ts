/** Waits for a JetStream that is away for a while: its nodes start, or elect a leader, which takes some seconds. */
import { JetStreamApiError } from "@nats-io/jetstream";
import { RequestError, TimeoutError } from "@nats-io/transport-node";
import { type Clock, pause } from "@weft/transport";

const RETRY_MS = 200;
/** Longer than a cluster is without a leader of JetStream. */
const GIVE_UP_MS = 30_000;
/** The name of an error that the client library does not export. */
const NOT_ENABLED = "JetStreamNotEnabled";
/** The nodes have no leader; the stream has too few nodes that run. */
const AWAY_CODES: ReadonlySet<number> = new Set([10008, 10118]);

/** Does it again while it fails for that reason alone, and for at most half a minute. */
export async function whenJetStreamIsBack<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  const deadlineMs = clock.nowMs() + GIVE_UP_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || clock.nowMs() > deadlineMs) throw error;
      await pause(clock, RETRY_MS);
    }
  }
}

/** Whether it is an error for that reason alone. */
export function isAway(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return AWAY_CODES.has(error.code);
  if (error instanceof RequestError) return error.isNoResponders();
  // Its API has nobody who answers while the nodes have no leader: servers without JetStream were refused at connect.
  return error instanceof TimeoutError || (error instanceof Error && error.name === NOT_ENABLED);
}
