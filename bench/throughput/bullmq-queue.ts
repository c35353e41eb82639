/** What BullMQ's processes have in common. */
import { Redis } from "ioredis";

export const QUEUE = "bench";

/** A connection as BullMQ wants it: it never gives up a command. */
export function connectRedis(server: string): Redis {
  return new Redis(server, { maxRetriesPerRequest: null });
}
