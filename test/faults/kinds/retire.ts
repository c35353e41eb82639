/** SIGTERM, as in a deployment: a leader hands over, a worker drains. Nothing is broken, and nothing may be lost. */
import { waitUntil } from "@weft/testing";
import { leaderOf } from "../arena.ts";
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
      const { electedAtMs } = observer;
      const elected = waitUntil(() => observer.electedAtMs > electedAtMs && observer.electedAtMs, {
        what: "another leader",
        timeoutMs: LEADS_MAX_MS,
      });
      const retired = leader.retire();
      await Promise.all([
        measures.take("handover", isCalm, elected),
        // Not before: the one that retires would run it, while it still leads.
        measures.take(
          "handover_dispatch",
          isCalm,
          elected.then(() => probe(arena)),
        ),
        measures.take("leader_stop", isCalm, retired),
      ]);
      await measures.take("coordinator_start", isCalm, leader.ready());
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
