/** kill -9 of a worker, of the leader, of any coordinator, of a client. */
import { waitUntil } from "@weft/testing";
import { leaderOf } from "../arena.ts";
import { takeChange } from "../change.ts";
import { type Fault, pickSound, probe } from "../fault.ts";

const NOTICED_MAX_MS = 60_000;
const TAKEN_OVER_MAX_MS = 80_000;

export const killWorker: Fault = {
  name: "kill_worker",
  weight: 6,
  strike: async (arena) => {
    const { calm, observer, measures } = arena;
    const worker = pickSound(arena, arena.workers);
    if (worker === undefined) return null;
    const isCalm = calm.watch();
    const name = worker.said;
    const killedMs = performance.now();
    const healed = calm.during(worker.title, async () => {
      await worker.replace();
      const noticed =
        name === null
          ? null
          : measures.takeSince(
              "worker_loss_detect",
              killedMs,
              isCalm,
              waitUntil(() => observer.lostAt(name, killedMs), { timeoutMs: NOTICED_MAX_MS }),
            );
      await Promise.all([worker.ready(), noticed]);
    });
    return { what: `kill ${worker.title}`, healed };
  },
};

export const killLeader: Fault = {
  name: "kill_leader",
  weight: 6,
  strike: async (arena) => {
    const { calm, measures } = arena;
    const leader = leaderOf(arena);
    if (leader === undefined || calm.isBroken(leader.title)) return null;
    const isCalm = calm.watch();
    const healed = calm.during(leader.title, async () => {
      const killedMs = performance.now();
      await leader.replace();
      const probed = probe(arena);
      await Promise.all([leader.ready(), measures.takeSince("failover", killedMs, isCalm, probed)]);
      takeChange(arena, { what: "failover", sinceMs: killedMs, probe: await probed, isCalm });
    });
    return { what: `kill ${leader.title}, which leads`, healed };
  },
};

export const killCoordinator: Fault = {
  name: "kill_coordinator",
  weight: 2,
  strike: async (arena) => {
    const coordinator = pickSound(arena, arena.coordinators);
    if (coordinator === undefined) return null;
    const healed = arena.calm.during(coordinator.title, async () => {
      await coordinator.replace();
      await coordinator.ready();
    });
    return { what: `kill ${coordinator.title}`, healed };
  },
};

export const killClient: Fault = {
  name: "kill_client",
  weight: 3,
  strike: async (arena) => {
    const { calm, account, measures } = arena;
    const client = pickSound(arena, arena.clients);
    if (client === undefined) return null;
    const isCalm = calm.watch();
    const healed = calm.during(client.title, async () => {
      const killedMs = performance.now();
      await client.replace();
      const left = new Set(client.inherited);
      const taken = waitUntil(() => account.openTasks().every(({ id }) => !left.has(id)), {
        what: "the tasks of the client to settle",
        timeoutMs: TAKEN_OVER_MAX_MS,
      });
      await Promise.all([client.ready(), measures.takeSince("client_takeover", killedMs, isCalm, taken)]);
    });
    return { what: `kill ${client.title}; another follows its tasks`, healed };
  },
};
