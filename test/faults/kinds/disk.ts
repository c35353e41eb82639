/** A NATS node whose disk is full, and a log that is full; and the way back of both. */
import { nodeTitle } from "../arena.ts";
import { type Fault, pause } from "../fault.ts";

const LEAST_MS = 2_000;
const MOST_MS = 9_000;
const DISK_LEFT_MAX_BYTES = 256 * 1024;
const LOG_LEFT_MAX_BYTES = 512 * 1024;

export const fillDisk: Fault = {
  name: "fill_disk",
  weight: 2,
  strike: async (arena) => {
    const { network, nats, calm, dice } = arena;
    const server = nats.servers.at(-1);
    if (network.disk === null || server === undefined) return null;
    const { disk } = network;
    const title = nodeTitle(arena, server);
    if (calm.isBroken(title) || calm.isBroken("all nodes")) return null;
    const forMs = dice.between(LEAST_MS, MOST_MS);
    await disk.fill(dice.below(DISK_LEFT_MAX_BYTES));
    const healed = calm.during(title, async () => {
      await pause(forMs);
      await disk.free();
      // A server does not take up a stream again that it could not write, before it is started anew.
      await server.restart();
    });
    return { what: `fill the disk of ${title} for ${Math.round(forMs)} ms, then restart it`, healed };
  },
};

export const fillLog: Fault = {
  name: "fill_log",
  weight: 1,
  strike: async (arena) => {
    const { observer, calm, dice, tell } = arena;
    if (calm.isBroken("log")) return null;
    const forMs = dice.between(LEAST_MS, MOST_MS);
    const restore = await observer.shrinkLog(dice.below(LOG_LEFT_MAX_BYTES)).catch((error: Error) => {
      tell(`the log cannot be shrunk right now: ${error.message}`);
      return null;
    });
    if (restore === null) return null;
    const healed = calm.during("log", async () => {
      await pause(forMs);
      await restore();
    });
    return { what: `leave the log no room for ${Math.round(forMs)} ms`, healed };
  },
};
