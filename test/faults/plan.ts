/** What is done next, drawn from the seed: at first each kind once, then by weight. */
import type { Dice } from "@weft/testing/simulation";
import type { Fault } from "./fault.ts";
import { cancelCpu } from "./kinds/cancel.ts";
import { fillDisk, fillLog } from "./kinds/disk.ts";
import { freezeLeader, freezeNode, freezeParty } from "./kinds/freeze.ts";
import { killClient, killCoordinator, killLeader, killWorker } from "./kinds/kill.ts";
import { linkFaults } from "./kinds/link.ts";
import { killAllNodes, killNode, restartAllNodes, restartNode } from "./kinds/node.ts";
import { retireLeader, retireWorker } from "./kinds/retire.ts";

const FAULTS: readonly Fault[] = [
  killWorker,
  killLeader,
  killCoordinator,
  killClient,
  freezeParty,
  freezeLeader,
  freezeNode,
  restartNode,
  killNode,
  restartAllNodes,
  killAllNodes,
  ...linkFaults,
  fillDisk,
  fillLog,
  retireLeader,
  retireWorker,
  cancelCpu,
];

export type Step = {
  readonly fault: Fault;
  readonly afterMs: number;
  /** Whether the next one waits until this one has healed, so that there are figures of single faults. */
  readonly waits: boolean;
};

const PAUSE_LEAST_MS = 500;
const PAUSE_MOST_MS = 2_500;
const WAITS_SHARE = 0.65;

export type PlanOptions = {
  /** The kinds to draw from; null for all. */
  readonly only: readonly string[] | null;
  /** Each fault waits until the one before has healed. */
  readonly apart: boolean;
};

/** Without end. */
export function* planOf(dice: Dice, { only, apart }: PlanOptions): Generator<Step, never> {
  const faults = only === null ? FAULTS : FAULTS.filter(({ name }) => only.includes(name));
  let deck = shuffled(faults, dice);
  for (;;) {
    for (const fault of deck) {
      const afterMs = dice.between(PAUSE_LEAST_MS, PAUSE_MOST_MS);
      yield { fault, afterMs, waits: dice.chance(WAITS_SHARE) || apart };
    }
    deck = shuffled(
      faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault)),
      dice,
    );
  }
}

export function faultNames(): readonly string[] {
  return FAULTS.map(({ name }) => name);
}

function shuffled<T>(items: readonly T[], dice: Dice): T[] {
  const left = [...items];
  const order: T[] = [];
  while (left.length > 0) order.push(...left.splice(dice.below(left.length), 1));
  return order;
}
