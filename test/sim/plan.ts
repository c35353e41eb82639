/**
 * What one seed plays: how large the cluster is, what is submitted, and which faults come how often. Each seed draws its
 * own mixture, and leaves most faults out: a cluster that suffers everything at once gets nowhere interesting.
 */
import type { LedgerSettings } from "@weft/protocol";
import type { Dice } from "@weft/testing/simulation";
import type { BlobSizes } from "@weft/transport";
import { DEFAULT_SETTINGS } from "../../packages/coordinator/src/core/ledger/index.ts";

const FAULT_KINDS = [
  "kill_coordinator",
  "kill_worker",
  "kill_client",
  "freeze_coordinator",
  "freeze_worker",
  "freeze_client",
  "cut",
  "restart_server",
  "move_stream_leader",
  "stop_consumer",
  "wrong_clock",
  "wrong_server_clock",
  "resign",
  "drain_worker",
  "garbage",
  "lose_tail",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type Plan = {
  readonly coordinators: number;
  readonly workers: number;
  readonly clients: number;
  readonly slots: number;
  /** Null where workers find it out. */
  readonly prefetch: number | null;
  readonly replicas: 1 | 3;
  /** Tasks that are submitted in all. */
  readonly tasks: number;
  /** Of these, the first ones that take most of the time: what is needed of the log then is old. */
  readonly longTasks: number;
  /** For how long they are submitted, and faults come. */
  readonly busyMs: number;
  readonly taskMsMax: number;
  readonly messageDelayMsMax: number;
  readonly checkpoints: { readonly bytesMin: number; readonly ageMinMs: number; readonly ageMaxMs: number };
  /** How old a checkpoint must be before the log is purged up to it. */
  readonly purgeAgeMs: number;
  /** How long settled tasks are kept. */
  readonly settings: LedgerSettings;
  /** What is large here, so that arguments and results are stored in chunks; null where nothing is. */
  readonly blobSizes: BlobSizes | null;
  readonly policies: Policies;
  /** The coordinators that the cluster begins with are of an older version than those that take their places. */
  readonly isUpgrade: boolean;
  /** Nothing happens but leaders that hand over: no attempt may then run in two places. */
  readonly isCalm: boolean;
  /** Mean time between two faults of a kind; kinds that are not here do not come. */
  readonly faults: ReadonlyMap<FaultKind, number>;
};

/** Which share of the tasks has what; 0 in the seeds that leave it out. */
type Policies = {
  readonly retries: number;
  readonly limits: number;
  readonly children: number;
  /** Those whose result may go once their client has it. */
  readonly unkept: number;
  readonly cancels: number;
  /** Of the cancels: those that take what waits with them. */
  readonly dependents: number;
};

const FAULT_SHARE = 0.3;
const UPGRADE_SHARE = 0.1;
/** Without checkpoints, whose newer ones the code of this version does not read, whatever it is told to be. */
const NO_CHECKPOINTS = { bytesMin: Number.MAX_SAFE_INTEGER, ageMinMs: 0, ageMaxMs: Number.MAX_SAFE_INTEGER };
const CALM_SHARE = 0.15;
/** The log's end is lost in few seeds: what was acknowledged may then be gone, and less can be demanded. */
const TAIL_SHARE = 0.05;

export function planOf(dice: Dice): Plan {
  const faults = new Map<FaultKind, number>();
  for (const kind of FAULT_KINDS) {
    const share = kind === "lose_tail" ? TAIL_SHARE : FAULT_SHARE;
    const meanMs = dice.between(1_500, 15_000);
    if (dice.chance(share)) faults.set(kind, meanMs);
  }
  const isCalm = dice.chance(CALM_SHARE);
  if (isCalm) {
    faults.clear();
    faults.set("resign", dice.between(800, 4_000));
  }
  const canLoseTail = faults.has("lose_tail");
  const checkpoints = {
    bytesMin: dice.chance(0.5) ? 500 : 20_000,
    ageMinMs: 0,
    ageMaxMs: dice.between(1_000, 20_000),
  };
  const isUpgrade = dice.chance(UPGRADE_SHARE);
  // The last of the old ones is gone at some time.
  if (isUpgrade) faults.set("resign", dice.between(800, 4_000));
  return {
    isUpgrade,
    checkpoints: isUpgrade ? NO_CHECKPOINTS : checkpoints,
    // What a power cut may take is younger than that: here it takes records of any age.
    purgeAgeMs: canLoseTail ? 3_600_000 : dice.between(0, 5_000),
    coordinators: 1 + dice.below(3) + (isCalm ? 1 : 0),
    workers: 1 + dice.below(4) + (isCalm ? 1 : 0),
    clients: 1 + dice.below(3),
    slots: 1 + dice.below(4),
    prefetch: dice.chance(0.5) ? null : dice.below(5),
    replicas: dice.chance(0.5) ? 3 : 1,
    tasks: 10 + dice.below(dice.chance(0.2) ? 400 : 80),
    busyMs: dice.between(3_000, 30_000),
    taskMsMax: dice.chance(0.3) ? 8_000 : 300,
    messageDelayMsMax: dice.chance(0.3) ? 200 : 5,
    faults,
    isCalm,
    policies: policiesOf(dice),
    settings: settingsOf(dice),
    // The argument of a task is of some fifty bytes, and its result of one to five. Chunks of a byte each, for hundreds of
    // tasks over a slow network, would take longer than what is given to heal.
    blobSizes: dice.chance(0.3)
      ? { inlineBytesMax: 1 + dice.below(40), chunkBytes: 4 + dice.below(30) }
      : null,
    longTasks: dice.chance(0.4) ? 1 + dice.below(3) : 0,
  };
}

function policiesOf(dice: Dice): Policies {
  const share = (most: number): number => (dice.chance(0.5) ? dice.next() * most : 0);
  return {
    retries: share(0.6),
    limits: share(0.3),
    children: share(0.4),
    unkept: share(0.6),
    cancels: dice.chance(0.2) ? 0.3 : 0.05,
    dependents: share(1),
  };
}

/** In seconds instead of hours, so that tasks leave while others run, and while clients are away. */
function settingsOf(dice: Dice): LedgerSettings {
  const isShort = dice.chance(0.6);
  const retentionMs = Math.round(dice.between(3_000, 40_000));
  const budgets = {
    retentionMinMs: Math.round(dice.between(500, 5_000)),
    settledTasksMax: dice.chance(0.5) ? 0 : 5 + dice.below(50),
    resultBytesMax: dice.chance(0.7) ? 0 : 100 + dice.below(1_000),
    logBytesMax: 0,
  };
  return isShort ? { retentionMs, ...budgets } : DEFAULT_SETTINGS;
}
