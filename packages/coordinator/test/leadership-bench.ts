/** A leadership on simulated time, with a log of the test's own. */
import {
  type ControlEvent,
  type HashMark,
  type LedgerSettings,
  type LostAttempt,
  Nonce,
  type Sender,
  type TaskId,
} from "@weft/protocol";
import { AwakeTime, Pace } from "@weft/transport";
import { Dice } from "../../testing/src/simulation/dice.ts";
import { SimLoop, SimProcess, type SimTimer } from "../../testing/src/simulation/index.ts";
import { DEFAULT_SETTINGS } from "../src/core/ledger/index.ts";
import { Leadership, type LeadershipOptions } from "../src/shell/leadership.ts";
import { countingClock } from "./counting-clock.ts";

type Append = { readonly atMs: number; readonly epoch: number; readonly event: ControlEvent };

export class Bench {
  readonly loop = new SimLoop();
  readonly process = new SimProcess("c1", this.loop, new Dice(1));
  /** When the next thing in the ledger is due; its clock is the simulated time of the last record. */
  dueMs: number | null = null;
  readonly clock = { nowMs: 0 };
  /** How many tasks are not over. */
  readonly live = { size: 1 };
  readonly ledger: {
    leader: Nonce | null;
    epoch: number;
    foldVersion: number;
    settings: LedgerSettings;
    lastControlMark: HashMark;
  } & Pick<LeadershipOptions["ledger"], "clock" | "live" | "nextDueMs"> = {
    leader: null,
    epoch: 0,
    foldVersion: 1,
    settings: DEFAULT_SETTINGS,
    lastControlMark: { seq: 0, high: 0, low: 0 },
    clock: this.clock,
    live: this.live,
    nextDueMs: () => this.dueMs,
  };
  readonly told: string[] = [];
  readonly appends: Append[] = [];
  inFlight = 0;
  inFlightMax = 0;
  /** Whether the log takes what is appended. */
  takes = true;
  leaderHeard = false;
  leaderGone = false;
  /** How often it was asked whether the leader's process is gone. */
  probes = 0;
  known = 0;
  settings: LedgerSettings = DEFAULT_SETTINGS;
  connected = true;
  seq = 0;
  readonly pace: Pace;
  readonly leadership: Leadership;
  private woken = 0;
  private heartbeat: SimTimer | null = null;

  constructor() {
    const { clock, entropy } = this.process;
    const counted = countingClock(clock, () => this.woken++);
    this.pace = new Pace({ clock: counted, isBusy: () => this.live.size > 0 });
    const { pace } = this;
    const awake = new AwakeTime({ clock: counted, pace, hears: () => this.connected });
    const tryAppend = async (epoch: number, event: ControlEvent): Promise<boolean> => {
      this.inFlightMax = Math.max(this.inFlightMax, ++this.inFlight);
      this.appends.push({ atMs: this.loop.nowMs, epoch, event });
      await new Promise<void>((over) => {
        clock.after(5, over);
      });
      this.inFlight--;
      if (this.takes) this.fold(event);
      return this.takes;
    };
    this.leadership = new Leadership({
      clock: counted,
      awake,
      pace,
      entropy,
      ledger: this.ledger,
      writer: {
        tryAppend,
        append: async (epoch, event, current) => {
          while (current()) {
            if (await tryAppend(epoch, event)) return true;
            await new Promise<void>((over) => {
              clock.after(100, over);
            });
          }
          return false;
        },
      },
      isConnected: () => this.connected,
      settings: () => this.settings,
      isLeaderHeard: () => this.leaderHeard,
      isLeaderGone: () => {
        this.probes++;
        return this.leaderGone;
      },
      foldVersionOfAll: () => this.known,
      onElected: (epoch) => void this.told.push(`elected ${epoch}`),
      onDeposed: () => void this.told.push("deposed"),
      onFailed: (error) => void this.told.push(String(error)),
    });
  }

  /** How often a timer of the leadership, or of its time awake, has fired. */
  wakeUps(): number {
    return this.woken;
  }

  fold(event: ControlEvent): void {
    this.seq++;
    if (event.type === "elected") {
      this.ledger.epoch = this.seq;
      this.ledger.leader = event.nonce;
    }
    if (event.type === "settings") this.ledger.settings = event.settings;
    if (event.type === "fold_version") this.ledger.foldVersion = event.version;
    if (event.type === "resigned") this.ledger.leader = null;
    this.clock.nowMs = this.loop.nowMs;
    if (this.dueMs !== null && this.dueMs <= this.clock.nowMs) this.dueMs = null;
    this.delivered();
    this.leadership.folded();
  }

  /** A record that says nothing of the leader. */
  foldOther(): void {
    this.seq++;
    this.delivered();
    this.leadership.advanced();
    this.pace.advanced();
  }

  /** The server tells when it has had nothing to deliver for a while. */
  private delivered(): void {
    this.heartbeat?.cancel();
    this.heartbeat = this.loop.after(1_100, () => {
      this.delivered();
      if (this.connected) this.process.deliver(() => this.leadership.advanced());
    });
  }

  /** Another coordinator leads, and ticks or not. */
  otherLeads(): void {
    this.fold({ type: "elected", nonce: Nonce.create(() => "anotherNonce") });
  }

  elections(): number[] {
    return this.appends.filter(({ event }) => event.type === "elected").map(({ atMs }) => atMs);
  }

  play(ms: number): Promise<boolean> {
    return this.loop.play(this.loop.nowMs + ms);
  }
}

export const lossOf = (id: string): LostAttempt => ({
  id: id as TaskId,
  attempt: 1,
  started: true,
  lostWorker: "worker.w1" as Sender,
});
