/** SIGTERM, as in a deployment: a leader hands over, a worker drains. Nothing is broken, and nothing may be lost. */
import { waitUntil } from "@weft/testing";
import { leaderOf } from "../arena.ts";
import { takeChange } from "../change.ts";
import { type Fault, pickSound, probe } from "../fault.ts";

const LEADS_MAX_MS = 60_000;

export const retireLeader: Fault = {
  name: "retire_leader",
  weight: 3,
  strike: async (arena) => {
    const { calm, measures, observer } = arena;
    const leader = leaderOf(arena);
    if (leader === undefined || calm.isBroken(leader.title)) return null;
    const isCalm = calm.watch();
    const healed = calm.during(leader.title, async () => {
      const retiredMs = performance.now();
      const ledAtMs = (): number => observer.change.ledAtMs;
      const elected = waitUntil(() => ledAtMs() > retiredMs && ledAtMs(), {
        what: "another leader",
        timeoutMs: LEADS_MAX_MS,
      });
      // Not before: the one that retires would run it, while it still leads.
      const probed = elected.then(() => probe(arena));
      const retired = leader.retire();
      await Promise.all([
        measures.take("handover", isCalm, elected),
        measures.take("handover_dispatch", isCalm, probed),
        measures.take("leader_stop", isCalm, retired),
      ]);
      await measures.take("coordinator_start", isCalm, leader.ready());
      takeChange(arena, { what: "handover", sinceMs: retiredMs, probe: await probed, isCalm });
    });
    return { what: `retire ${leader.title}, which leads`, healed };
  },
};

export const retireWorker: Fault = {
  name: "retire_worker",
  weight: 2,
  strike: async (arena) => {
    const worker = pickSound(arena, arena.workers);
    if (worker === undefined) return null;
    const healed = arena.calm.during(worker.title, async () => {
      await worker.retire();
      await worker.ready();
    });
    return { what: `retire ${worker.title}`, healed };
  },
};
