/**
 * Asks the server now and then whether it is there: a connection may be cut without a word. nats.js does so by a timer of its own, which
 * wakes an idle process for that alone. Here it is one of the things that a process does at a beat.
 */
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "./clock.ts";

const PING_MS = 5_000;
const UNANSWERED_MAX = 2;

/** Until the connection is closed. One whose server is silent is made anew after 10 to 15 s. */
export function keepAlive(
  nats: Pick<NatsConnection, "rtt" | "reconnect" | "closed">,
  clock: Pick<Clock, "every">,
): void {
  let unanswered = 0;
  // Or the connection was lost meanwhile, and is being made anew.
  const answered = (): void => {
    unanswered = 0;
  };
  const timer = clock.every(PING_MS, () => {
    if (++unanswered <= UNANSWERED_MAX) nats.rtt().then(answered, answered);
    else nats.reconnect().then(answered, answered);
  });
  void nats.closed().then(() => timer.cancel());
}
