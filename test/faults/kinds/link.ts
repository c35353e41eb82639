/** A party's network, a NATS node's too where it has one of its own: cut, slow and lossy, half open, reset. */
import { type Fault, pause, pickSound } from "../fault.ts";
import type { HarmKind } from "../network.ts";

const LEAST_MS = 500;
const MOST_MS = 14_000;

function linkFault(kind: HarmKind, weight: number): Fault {
  return {
    name: `link_${kind}`,
    weight,
    strike: async (arena) => {
      const { network, dice, calm } = arena;
      if (!network.kinds.includes(kind)) return null;
      const party = pickSound(
        arena,
        network.parties.map((title) => ({ title })),
      );
      if (party === undefined) return null;
      const forMs = kind === "drop" ? 0 : dice.between(LEAST_MS, MOST_MS);
      const { what, mend } = await network.harm(kind, party.title, dice);
      const healed = calm.during(party.title, async () => {
        await pause(forMs);
        await mend();
      });
      return { what: forMs === 0 ? what : `${what}, for ${Math.round(forMs)} ms`, healed };
    },
  };
}

export const linkFaults: readonly Fault[] = [
  linkFault("cut", 3),
  linkFault("slow", 3),
  linkFault("stall", 2),
  linkFault("drop", 1),
];
