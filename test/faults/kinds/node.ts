/** Restart and kill -9 of one NATS node, and of all of them at once. */
import type { NatsServer } from "@weft/testing";
import { type Arena, nodeTitle } from "../arena.ts";
import { type Fault, pause, probe, type Strike } from "../fault.ts";

const DOWN_MAX_MS = 8_000;
const READY_MAX_MS = 60_000;

type Way = "restart" | "kill";

async function strikeOne(arena: Arena, way: Way): Promise<Strike | null> {
  const { calm, dice, measures } = arena;
  const sound = arena.nats.servers.filter((server) => !calm.isBroken(nodeTitle(arena, server)));
  if (sound.length === 0 || calm.isBroken("all nodes")) return null;
  const server = dice.pick(sound);
  const title = nodeTitle(arena, server);
  const isCalm = calm.watch();
  const downMs = way === "kill" ? dice.between(0, DOWN_MAX_MS) : 0;
  const healed = calm.during(title, async () => {
    const struckMs = performance.now();
    const back = bringBack([server], way, downMs);
    const works =
      way === "kill" ? [measures.takeSince("node_kill_recovery", struckMs, isCalm, probe(arena))] : [];
    await Promise.all([back, ...works]);
    await untilReady(arena);
  });
  const what = way === "kill" ? `kill ${title}, down for ${Math.round(downMs)} ms` : `restart ${title}`;
  return { what, healed };
}

async function strikeAll(arena: Arena, way: Way): Promise<Strike | null> {
  const { calm, dice, measures, nats } = arena;
  if (nats.servers.some((server) => calm.isBroken(nodeTitle(arena, server)))) return null;
  const isCalm = calm.watch();
  const downMs = way === "kill" ? dice.between(0, DOWN_MAX_MS) : 0;
  // Every node is broken, and it is one fault.
  const healed = calm.during("all nodes", async () => {
    await bringBack(nats.servers, way, downMs);
    await measures.take("nats_restart_recovery", isCalm, probe(arena));
    await untilReady(arena);
  });
  const what =
    way === "kill"
      ? `kill all NATS nodes at once, down for ${Math.round(downMs)} ms`
      : "restart all NATS nodes";
  return { what, healed };
}

async function bringBack(servers: readonly NatsServer[], way: Way, downMs: number): Promise<void> {
  if (way === "kill") {
    for (const server of servers) server.kill("SIGKILL");
    await Promise.all(servers.map((server) => server.exited));
    await pause(downMs);
  }
  await Promise.all(servers.map((server) => server.restart()));
}

async function untilReady({ nats, tell }: Arena): Promise<void> {
  if (nats.servers.length === 1) return;
  await nats
    .waitUntilReady({ timeoutMs: READY_MAX_MS })
    .catch((error: Error) => tell(`NATS is not well yet: ${error.message.split("\n")[0]}`));
}

export const restartNode: Fault = {
  name: "restart_node",
  weight: 2,
  strike: (arena) => strikeOne(arena, "restart"),
};
export const killNode: Fault = { name: "kill_node", weight: 4, strike: (arena) => strikeOne(arena, "kill") };
export const restartAllNodes: Fault = {
  name: "restart_all_nodes",
  weight: 1,
  strike: (arena) => strikeAll(arena, "restart"),
};
export const killAllNodes: Fault = {
  name: "kill_all_nodes",
  weight: 1,
  strike: (arena) => strikeAll(arena, "kill"),
};
