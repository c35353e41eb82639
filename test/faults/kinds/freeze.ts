/** SIGSTOP and SIGCONT of any party, and of a NATS node. */
import { leaderOf, nodeTitle, partiesOf } from "../arena.ts";
import { type Fault, pause, pickSound } from "../fault.ts";

const LEAST_MS = 500;
const MOST_MS = 14_000;

export const freezeParty: Fault = {
  name: "freeze_party",
  weight: 4,
  strike: async (arena) => {
    const party = pickSound(arena, partiesOf(arena));
    if (party === undefined) return null;
    const forMs = arena.dice.between(LEAST_MS, MOST_MS);
    const healed = arena.calm.during(party.title, () => party.freeze(forMs));
    return { what: `freeze ${party.title} for ${Math.round(forMs)} ms`, healed };
  },
};

export const freezeLeader: Fault = {
  name: "freeze_leader",
  weight: 2,
  strike: async (arena) => {
    const leader = leaderOf(arena);
    if (leader === undefined || arena.calm.isBroken(leader.title)) return null;
    const forMs = arena.dice.between(LEAST_MS, MOST_MS);
    const healed = arena.calm.during(leader.title, () => leader.freeze(forMs));
    return { what: `freeze ${leader.title}, which leads, for ${Math.round(forMs)} ms`, healed };
  },
};

export const freezeNode: Fault = {
  name: "freeze_node",
  weight: 1,
  strike: async (arena) => {
    const node = pickSound(
      arena,
      arena.nats.servers.map((server) => ({ server, title: nodeTitle(arena, server) })),
    );
    if (node === undefined || arena.calm.isBroken("all nodes")) return null;
    const forMs = arena.dice.between(LEAST_MS, MOST_MS);
    node.server.kill("SIGSTOP");
    const healed = arena.calm.during(node.title, async () => {
      await pause(forMs);
      node.server.kill("SIGCONT");
    });
    return { what: `freeze ${node.title} for ${Math.round(forMs)} ms`, healed };
  },
};
