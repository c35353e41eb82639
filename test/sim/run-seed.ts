/**
 * Plays one seed: first safety under faults, held after every record; then everything heals, and all that was promised
 * must come true.
 */
import {
  ControlSecret,
  type Identity,
  type InstanceId,
  Namespace,
  Subjects,
  type TaskId,
} from "@weft/protocol";
import { Dice, SimLoop, type SimProcess, SimServer } from "@weft/testing/simulation";
import type { StoredMessage } from "@weft/transport";
import { Account } from "./account.ts";
import { Auditor } from "./auditor.ts";
import { Faults } from "./faults.ts";
import { createSimNamespace } from "./namespace.ts";
import { Parties, type Party } from "./parties.ts";
import { type Plan, planOf } from "./plan.ts";
import { RunRegister } from "./run-register.ts";
import { Notes, storyOf } from "./story.ts";
import { Workload } from "./workload.ts";

export type SeedResult = {
  readonly seed: number;
  /** Empty where the seed passed. */
  readonly wrong: readonly string[];
  /** What happened, told where it failed. */
  readonly story: readonly string[];
  readonly tasks: number;
  readonly records: number;
  /** Settled tasks that are not kept any more. */
  readonly left: number;
  /** Records that were purged behind a checkpoint. */
  readonly purged: number;
  /** Values that were carried out of the way of that. */
  readonly carried: number;
  readonly events: number;
  readonly simulatedMs: number;
};

/** After the last fault: unknown ids take a minute, leases ten seconds, and what was frozen or cut comes back first. */
const HEALING_MS = 300_000;
/** What was cancelled has its grace, and what is no longer current is told so with the next presence. */
const LEFTOVERS_MS = 8_000;
const SUBMIT_EVERY_MS = 40;
const LOG_BYTES_MAX = 256 * 1024 * 1024;
const WRONG_MAX = 10;

/** `onStored` is told every record of the log as the server takes it. */
export async function runSeed(
  seed: number,
  onStored: (record: StoredMessage) => void = () => undefined,
): Promise<SeedResult> {
  const dice = new Dice(seed);
  const plan = planOf(dice);
  return new SeedRun(seed, dice, plan).play(onStored);
}

class SeedRun {
  private readonly seed: number;
  private readonly dice: Dice;
  private readonly plan: Plan;
  private readonly loop = new SimLoop();
  private readonly notes = new Notes(() => this.loop.nowMs);
  private readonly subjects = new Subjects(Namespace.parse("sim"));
  private readonly wrong: string[] = [];
  private readonly blamed = new Set<TaskId>();
  private readonly account: Account;
  private readonly auditor: Auditor;
  private readonly runs: RunRegister;
  private readonly server: SimServer;
  private readonly parties: Parties;
  private readonly faults: Faults;
  private readonly workload: Workload;

  constructor(seed: number, dice: Dice, plan: Plan) {
    this.seed = seed;
    this.dice = dice;
    this.plan = plan;
    const { loop, subjects } = this;
    const onWrong = (what: string, task: TaskId | null): void => this.blame(what, task);
    const note = (line: string): void => this.notes.add(line);
    const secret = ControlSecret.parse("secret");
    const stream = subjects.stream(0);
    this.account = new Account(onWrong);
    this.auditor = new Auditor({
      subjects,
      secret,
      firstSeq: () => this.server.firstSeq(stream),
      onWrong,
      onFreed: (id) => this.account.freed(id),
    });
    this.account.hasLeft = (id) => this.auditor.hasLeft(id) || this.auditor.isFreed(id);
    this.account.recorded = (id) => this.auditor.outcomeOf(id);
    this.runs = new RunRegister({ loop, plan, auditor: this.auditor, account: this.account, onWrong });
    this.server = new SimServer(loop, dice.fork(), {
      replicas: plan.replicas,
      messageDelayMsMax: plan.messageDelayMsMax,
    });
    const config = createSimNamespace(this.server, {
      subjects,
      secret,
      purgeAgeMs: plan.purgeAgeMs,
      logBytesMax: LOG_BYTES_MAX,
    });
    this.server.onStored(stream, (message) => this.auditor.stored(message));
    this.server.onTruncated(stream, (lastSeq) => this.auditor.truncated(lastSeq));
    this.parties = new Parties({
      loop,
      dice: dice.fork(),
      plan,
      subjects,
      config,
      connect: (process: SimProcess, identity: Identity, instance: InstanceId) =>
        this.server.connect(process, identity, instance),
      witness: this.runs,
      note,
      onFailed: (party, error) => this.ended(party, error),
    });
    this.faults = new Faults({
      loop,
      dice: dice.fork(),
      plan,
      server: this.server,
      stream,
      blobStream: subjects.blobStream(0),
      parties: this.parties,
      note,
      replace: (party) => this.replace(party),
      onTailLost: () => {
        this.account.tailLost = true;
      },
    });
    this.workload = new Workload(this.account, dice.fork(), plan, () => this.runs.current());
  }

  async play(onStored: (record: StoredMessage) => void): Promise<SeedResult> {
    const { plan, parties, loop, faults } = this;
    this.server.onStored(this.subjects.stream(0), onStored);
    for (let i = 1; i <= plan.coordinators; i++) parties.start("coordinator", i);
    for (let i = 1; i <= plan.workers; i++) parties.start("worker", i);
    for (let i = 1; i <= plan.clients; i++) parties.start("client", i);
    faults.start();
    this.submitSome();
    const isBroken = (): boolean => this.wrong.length >= WRONG_MAX;
    await loop.play(plan.busyMs, isBroken);
    faults.heal();
    this.notes.add("healed");
    const isDone = (): boolean =>
      isBroken() || (this.workload.isOver && this.account.openEntries().length === 0);
    await loop.play(loop.nowMs + HEALING_MS + workMs(plan), isDone);
    await loop.play(loop.nowMs + LEFTOVERS_MS, isBroken);
    this.judge();
    return this.result();
  }

  private submitSome(): void {
    const { dice, loop, workload, parties } = this;
    if (workload.isOver) return;
    const party = dice.pick(parties.all("client"));
    const { client, process } = party;
    if (client !== null && !process.isKilled && !process.isFrozen) workload.submit(client, party.title);
    loop.after(dice.next() * 2 * SUBMIT_EVERY_MS * (1 + plan(this.plan)), () => this.submitSome());
  }

  /** Another process in the place of a dead one. A client that comes anew follows what the dead one had open. */
  private replace(party: Party): void {
    const index = Number(party.title.split(" ")[1]);
    const next = this.parties.start(party.kind, index);
    if (party.kind !== "client") return;
    for (const entry of this.account.entries.values()) {
      if (entry.client !== party.title || entry.outcome !== null) continue;
      if (entry.isAccepted && next.client !== null)
        this.account.follow(next.client.handle<number>(entry.id), entry);
      else entry.isOrphan = true;
    }
  }

  private ended(party: Party, error: Error): void {
    this.notes.add(`${party.title} ended: ${error.name}: ${error.message}`);
    // One that was paused or cut off for so long that the others took it for gone, and went on to newer rules.
    const isOutdated = this.plan.isUpgrade && error.name === "LogTooNewError";
    if (!this.account.tailLost && !isOutdated)
      this.blame(`${party.title} ended: ${error.name}: ${error.message}`, null);
    party.process.kill();
    this.loop.after(1_000, () => this.replace(party));
  }

  private judge(): void {
    const { account, auditor, runs } = this;
    for (const { input, process } of runs.leftovers())
      this.blame(`I9: ${process.name} still runs ${input.id}, which has settled`, input.id);
    for (const entry of account.openEntries())
      this.blame(`I8: the handle of ${entry.id} never settled`, entry.id);
    for (const entry of account.entries.values()) {
      if (account.tailLost) break;
      if (entry.isAccepted && !auditor.has(entry.id))
        this.blame(`I1: ${entry.id} was acknowledged and is lost`, entry.id);
      const recorded = auditor.outcomeOf(entry.id);
      if (entry.outcome !== null && recorded !== null && entry.outcome !== recorded && !entry.isExpired)
        this.blame(`I1: ${entry.id} is ${recorded}, and its handle was told ${entry.outcome}`, entry.id);
    }
  }

  private blame(what: string, task: TaskId | null): void {
    if (this.wrong.length < WRONG_MAX) this.wrong.push(`at ${Math.round(this.loop.nowMs)} ms: ${what}`);
    this.notes.add(`WRONG: ${what}`);
    if (task !== null) this.blamed.add(task);
  }

  private result(): SeedResult {
    const story = [...this.notes.all()];
    for (const id of this.blamed) story.push(`the story of ${id}:`, ...storyOf(this.auditor, id));
    return {
      seed: this.seed,
      wrong: this.wrong,
      story,
      tasks: this.workload.submitted,
      left: this.auditor.leftCount,
      purged: this.server.firstSeq(this.subjects.stream(0)) - 1,
      carried: this.auditor.carriedCount,
      records: this.auditor.ledger.seq,
      events: this.loop.played,
      simulatedMs: this.loop.nowMs,
    };
  }
}

/** How long a whole cluster takes for everything, a few attempts of each included. */
function workMs({ tasks, taskMsMax, longTasks, busyMs, workers, slots }: Plan): number {
  return (3 * tasks * taskMsMax) / (workers * slots) + 3 * longTasks * busyMs;
}

/** The busier the tasks, the slower they come. */
function plan({ busyMs, tasks }: Plan): number {
  return busyMs / tasks / SUBMIT_EVERY_MS;
}
