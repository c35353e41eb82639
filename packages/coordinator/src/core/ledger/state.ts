/** Everything that a ledger holds. Only the rules of the fold (the files beside this one) change it. */
import {
  type ControlSecret,
  type HashMark,
  type InstanceId,
  type LedgerSettings,
  type Nonce,
  type TaskId,
  TaskTable,
} from "@weft/protocol";
import { SettledIndex } from "../settled/settled-index.ts";
import { CarriedRecords } from "./carried-records.ts";
import { LedgerClock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";
import type { Effect, VoidReason } from "./effect.ts";
import { Names } from "./own-text.ts";
import { DEFAULT_SETTINGS } from "./retention.ts";
import { RollingHash } from "./rolling-hash.ts";
import { Senders } from "./senders.ts";
import type { LiveTask } from "./task.ts";
import { Timers } from "./timers.ts";

export type LedgerConfig = { readonly partition: number; readonly secret: ControlSecret };

const UNKNOWN_WAIT_MS = 60_000;

export class LedgerState {
  readonly config: LedgerConfig;
  readonly clock: LedgerClock = new LedgerClock();
  readonly live: TaskTable<LiveTask> = new TaskTable();
  readonly settled: SettledIndex = new SettledIndex();
  readonly senders: Senders = new Senders();
  /** Ids that tasks wait for and that nobody has submitted. */
  readonly unknown: Map<TaskId, readonly LiveTask[]> = new Map();
  readonly unknownDeadlines: Deadlines<TaskId> = new Deadlines(UNKNOWN_WAIT_MS);
  readonly names: Names = new Names();
  readonly timers: Timers = new Timers((task) => !task.isSettled);
  /** The live children of each task that submitted some, whether it has settled itself or not. */
  readonly children: Map<TaskId, Set<LiveTask>> = new Map();
  /** Tasks whose parent ended in a way that ends them too: cancelled before the record at hand is done with. */
  readonly orphans: LiveTask[] = [];
  /** Cancels that overtook their submit. */
  readonly earlyCancels: Map<TaskId, string | null> = new Map();
  readonly earlyCancelDeadlines: Deadlines<TaskId> = new Deadlines(UNKNOWN_WAIT_MS);
  /** The last record folded. */
  seq = 0;
  /** The last record on the control subject, void or not: what the next control append must expect. */
  lastControlSeq = 0;
  /** Of all that was done so far. */
  readonly hash: RollingHash = new RollingHash();
  /** What it was behind that record. */
  lastControlMark: HashMark = { seq: 0, high: 0, low: 0 };
  /** The sequence of the `elected` in force; 0 before the first. */
  epoch = 0;
  leader: Nonce | null = null;
  /** The process that was elected last: behind a lost tail another may have had the same epoch. */
  leaderInstance: InstanceId | null = null;
  foldVersion = 0;
  /** What the leader was started with. */
  settings: LedgerSettings = DEFAULT_SETTINGS;
  /** When the newest task that has left had settled; 0 where none has. */
  expiredToMs = 0;
  /** Results that their clients have, and that live tasks depend on. */
  readonly received: Set<TaskId> = new Set();
  readonly carried: CarriedRecords = new CarriedRecords();
  /** Of the arguments of all live tasks. */
  argsBytes = 0;
  /** The age that the next task gets. */
  nextOrder = 0;
  /** What the record at hand has done so far. */
  effects: Effect[] = [];

  constructor(config: LedgerConfig) {
    this.config = config;
  }

  /** When the leader should move the clock for what waits; null where nothing does. */
  nextDueMs(): number | null {
    return this.timers.nextDueMs();
  }

  void(why: VoidReason): void {
    this.effects.push({ type: "void", why });
  }
}
