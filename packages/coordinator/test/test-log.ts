/** A log in memory with its fold, which is checked after each record. */
import {
  type Carried,
  type ControlEvent,
  ControlSecret,
  DEFAULT_OPTIONS,
  type ExpiredAttempt,
  type Finish,
  FOLD_VERSION,
  Identity,
  InstanceId,
  type LedgerSettings,
  type LogRecord,
  type LogSubject,
  type LostAttempt,
  Nonce,
  Sender,
  type Submission,
  type SubmissionOptions,
  type TaskId,
  TaskName,
} from "@weft/protocol";
import type { Effect } from "../src/core/ledger/effect.ts";
import { checkInvariants } from "../src/core/ledger/invariants.ts";
import { Ledger, type LogEntry } from "../src/core/ledger/ledger.ts";
import { neededOf } from "../src/core/ledger/needed.ts";
import { DEFAULT_SETTINGS } from "../src/core/ledger/retention.ts";
import type { LiveTask } from "../src/core/ledger/task.ts";

const SECRET: ControlSecret = ControlSecret.create();
export const CLIENT: Sender = Sender.of(Identity.parse("client"), InstanceId.parse("c1"));
export const WORKER: Sender = Sender.of(Identity.parse("worker"), InstanceId.parse("w1"));
const LEADER = InstanceId.parse("k1");
export const START_MS = 1_700_000_000_000;

/** A task id that a person can read in a failure: `00zzzz0000000000000007`. */
export function idOf(number: number): TaskId {
  return `00zzzz${String(number).padStart(16, "0")}` as TaskId;
}

export function submission(
  id: number,
  dependsOn: readonly number[] = [],
  options: Partial<SubmissionOptions> = {},
): Submission {
  const plain = Object.keys(options).length === 0;
  return {
    id: idOf(id),
    name: TaskName.parse(`t${id % 3}`),
    args: Uint8Array.of(id & 0xff),
    dependsOn: dependsOn.map(idOf),
    options: plain ? null : structuredClone({ ...DEFAULT_OPTIONS, ...options }),
  };
}

export class TestLog {
  readonly entries: LogEntry[] = [];
  readonly effects: Effect[] = [];
  readonly ledger: Ledger = newLedger();
  nowMs: number = START_MS;
  private readonly numbers = new Map<string, number>();

  /** A task that lives. */
  live(number: number): LiveTask {
    const task = this.ledger.live.get(idOf(number));
    if (task === undefined) throw new Error(`task ${number} does not live`);
    return task;
  }

  submit(tasks: readonly Submission[], sender: Sender = CLIENT): Effect[] {
    const { instance, number } = this.next(sender);
    return this.append({ kind: "submit", sender }, { type: "submit", instance, number, tasks });
  }

  finish(
    finishes: readonly (Pick<Finish, "id" | "outcome"> & Partial<Finish>)[],
    sender: Sender = WORKER,
  ): Effect[] {
    const { instance, number } = this.next(sender);
    const full = finishes.map((each) => ({
      attempt: this.ledger.live.get(each.id)?.attempt ?? 1,
      started: true,
      progress: null,
      value: Uint8Array.of(1),
      failure: null,
      ...each,
    }));
    return this.append({ kind: "finish", sender }, { type: "finish", instance, number, finishes: full });
  }

  succeed(...ids: readonly number[]): Effect[] {
    return this.finish(ids.map((id) => ({ id: idOf(id), outcome: "succeeded" as const })));
  }

  fail(...ids: readonly number[]): Effect[] {
    return this.finish(ids.map((id) => ({ id: idOf(id), outcome: "failed" as const })));
  }

  cancel(ids: readonly number[], reason: string | null = null, dependents = false): Effect[] {
    const { instance, number } = this.next(CLIENT);
    const cancels = ids.map((id) => ({ id: idOf(id), reason, dependents }));
    return this.append({ kind: "cancel", sender: CLIENT }, { type: "cancel", instance, number, cancels });
  }

  /** The client has these results. */
  receive(...ids: readonly number[]): Effect[] {
    const { instance, number } = this.next(CLIENT);
    const record = { type: "received", instance, number, ids: ids.map(idOf) } as const;
    return this.append({ kind: "received", sender: CLIENT }, record);
  }

  elect(): Effect[] {
    return this.control({ type: "elected", nonce: Nonce.create() });
  }

  tick(passedMs = 0): Effect[] {
    // The ledger's clock takes no more than 2 s from one control record to the next.
    for (let left = passedMs; left > 0; left -= 2_000) {
      this.nowMs += Math.min(2_000, left);
      this.control({ type: "tick", mark: null });
    }
    return this.control({ type: "tick", mark: null });
  }

  settings(settings: Partial<LedgerSettings>): Effect[] {
    return this.control({ type: "settings", settings: { ...DEFAULT_SETTINGS, ...settings } });
  }

  lose(id: number, lost: Partial<LostAttempt> = {}): Effect[] {
    const attempt = this.ledger.live.get(idOf(id))?.attempt ?? 1;
    return this.control({
      type: "lost",
      attempts: [{ id: idOf(id), attempt, started: true, lostWorker: WORKER, ...lost }],
    });
  }

  /** Carries what is needed of a record. */
  carry(seq: number, change: Partial<Carried> = {}, epoch: number = this.ledger.epoch): Effect[] {
    const record = this.entries[seq - 1]?.record ?? null;
    const carried = record === null ? [] : neededOf(this.ledger, seq, record);
    return this.control({ type: "carry", carried: carried.map((each) => ({ ...each, ...change })) }, epoch);
  }

  expire(id: number, expired: Partial<ExpiredAttempt> = {}): Effect[] {
    const attempt = this.ledger.live.get(idOf(id))?.attempt ?? 1;
    return this.control({
      type: "expired",
      attempts: [{ id: idOf(id), attempt, limit: "run", ...expired }],
    });
  }

  control(event: ControlEvent, epoch: number = this.ledger.epoch, secret: ControlSecret = SECRET): Effect[] {
    const number = this.next(Sender.of(Identity.parse("k"), LEADER)).number;
    const record = {
      type: "control",
      instance: LEADER,
      number,
      epoch,
      wallMs: this.nowMs,
      foldVersion: FOLD_VERSION,
      event,
    } as const;
    return this.append({ kind: "control", secret }, record);
  }

  append(subject: LogSubject, record: LogRecord | null): Effect[] {
    const entry: LogEntry = { seq: this.ledger.seq + 1, stampMs: this.nowMs, subject, record };
    this.entries.push(entry);
    const effects = this.ledger.apply(entry);
    this.effects.push(...effects);
    const wrong = checkInvariants(this.ledger);
    if (wrong.length > 0) throw new Error(`after record ${entry.seq}:\n${wrong.join("\n")}`);
    return effects;
  }

  /** The last record once more, as after an append whose acknowledgement was lost. */
  repeat(): Effect[] {
    const last = this.entries.at(-1);
    if (last === undefined) throw new Error("there is nothing to repeat");
    return this.append(last.subject, last.record);
  }

  outcomeOf(id: number): string {
    const settled = this.ledger.settled.get(idOf(id));
    return settled?.outcome ?? this.ledger.live.get(idOf(id))?.state ?? "unknown";
  }

  private next(sender: Sender): { readonly instance: InstanceId; readonly number: number } {
    const number = (this.numbers.get(sender) ?? 0) + 1;
    this.numbers.set(sender, number);
    return { instance: InstanceId.parse(sender.split(".")[1] ?? ""), number };
  }
}

export function newLedger(): Ledger {
  return new Ledger({ partition: 0, secret: SECRET });
}

export function typesOf(effects: readonly Effect[]): string[] {
  return effects.map((effect) => (effect.type === "void" ? `void: ${effect.why}` : effect.type));
}
