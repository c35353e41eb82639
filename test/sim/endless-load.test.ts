/** A cluster under a load that does not end: its log, its checkpoints and its memory stop growing (I10). */
import type { Client, TaskHandle } from "@weft/client";
import { ControlSecret, Namespace, Subjects, type TaskId } from "@weft/protocol";
import { Dice, SimLoop, SimServer } from "@weft/testing/simulation";
import { beforeAll, expect, test } from "vitest";
import { Auditor } from "./auditor.ts";
import { createSimNamespace } from "./namespace.ts";
import { Parties } from "./parties.ts";
import { type Plan, planOf } from "./plan.ts";
import type { SimInput } from "./sim-executor.ts";
import { TASK_NAME } from "./workload.ts";

const RETENTION_MS = 15_000;
const SUBMIT_EVERY_MS = 50;
const SAMPLE_EVERY_MS = 2_500;
/** By then as many tasks leave as come. */
const WARM_MS = 60_000;
const END_MS = 300_000;
/** A task takes most of that: its own arguments are old then, and what another one waits for beside it. */
const LONG_MS = 270_000;

const plan: Plan = {
  ...planOf(new Dice(1)),
  coordinators: 2,
  workers: 2,
  clients: 2,
  slots: 4,
  prefetch: 4,
  replicas: 1,
  messageDelayMsMax: 2,
  checkpoints: { bytesMin: 1_000, ageMinMs: 0, ageMaxMs: 5_000 },
  purgeAgeMs: 1_000,
  faults: new Map(),
  settings: {
    retentionMs: RETENTION_MS,
    retentionMinMs: 1_000,
    settledTasksMax: 0,
    resultBytesMax: 0,
    logBytesMax: 0,
  },
};

type Sample = {
  readonly atMs: number;
  readonly logBytes: number;
  readonly checkpointBytes: number;
  readonly settled: number;
  readonly senders: number;
};

/** What was submitted, and how its handle settled. */
type Told = { readonly id: TaskId; readonly atMs: number; readonly value: unknown; readonly wanted: number };

class Run {
  readonly loop = new SimLoop();
  readonly wrong: string[] = [];
  readonly samples: Sample[] = [];
  readonly told: Told[] = [];
  readonly reread: Told[] = [];
  readonly expired: string[] = [];
  private readonly subjects = new Subjects(Namespace.parse("sim"));
  private readonly dice = new Dice(7);
  private readonly server = new SimServer(this.loop, this.dice.fork(), plan);
  private readonly auditor: Auditor;
  private readonly parties: Parties;
  submitted = 0;
  /** Of the one that has waited for all the time. */
  lastValue: unknown = null;

  constructor() {
    const { loop, subjects, server, wrong } = this;
    const secret = ControlSecret.parse("secret");
    const stream = subjects.stream(0);
    const { purgeAgeMs } = plan;
    const config = createSimNamespace(server, {
      subjects,
      secret,
      purgeAgeMs,
      logBytesMax: 64 * 1024 * 1024,
    });
    const firstSeq = (): number => server.firstSeq(stream);
    this.auditor = new Auditor({
      subjects,
      secret,
      firstSeq,
      onWrong: (what) => void wrong.push(what),
      onFreed: () => undefined,
    });
    server.onStored(stream, (message) => this.auditor.stored(message));
    this.parties = new Parties({
      loop,
      dice: this.dice.fork(),
      plan,
      subjects,
      config,
      connect: (process, identity, instance) => server.connect(process, identity, instance),
      witness: { began: () => undefined, ended: () => undefined },
      note: () => undefined,
      onFailed: (party, error) => void wrong.push(`${party.title} ended: ${error.message}`),
    });
    for (const kind of ["coordinator", "worker", "client"] as const)
      for (let i = 1; i <= 2; i++) this.parties.start(kind, i);
  }

  async play(): Promise<void> {
    const { loop } = this;
    const every = (ms: number, act: () => void): void => {
      loop.after(ms, () => {
        act();
        every(ms, act);
      });
    };
    loop.after(1_000, () => this.waitLong());
    every(SUBMIT_EVERY_MS, () => this.submit());
    every(SAMPLE_EVERY_MS, () => this.sample());
    every(500, () => this.readAgain());
    await loop.play(END_MS, () => this.wrong.length > 0);
  }

  private client(index: number): Client | null {
    return this.parties.all("client")[index]?.client ?? null;
  }

  private waitLong(): void {
    const submit = (
      add: number,
      takeMs: number,
      dependsOn: readonly string[] = [],
    ): TaskHandle<number> | undefined =>
      this.client(0)?.submit<number>(TASK_NAME, { takeMs, failBelow: 1, add, heeds: true }, { dependsOn });
    const [short, long] = [submit(1, 10), submit(20, LONG_MS)];
    submit(300, 10, [short?.id ?? "", long?.id ?? ""])
      ?.settled()
      .then(
        ({ value, error }) => {
          this.lastValue = error?.message ?? value;
        },
        () => undefined,
      );
  }

  get carried(): number {
    return this.auditor.carriedCount;
  }

  private submit(): void {
    const add = ++this.submitted;
    const input: SimInput = { takeMs: this.dice.below(100), failBelow: 1, add, heeds: true };
    const dependency = add % 3 === 0 ? this.told.at(-1) : undefined;
    const wanted = add + (dependency?.wanted ?? 0);
    const dependsOn = dependency === undefined ? [] : [dependency.id];
    const handle = this.client(0)?.submit<number>(TASK_NAME, input, { dependsOn });
    handle?.settled().then(
      ({ value, error }) => {
        if (error !== undefined) this.wrong.push(error.message);
        this.told.push({ id: handle.id, atMs: this.loop.nowMs, value, wanted });
      },
      () => undefined,
    );
  }

  /** Another client asks for what settled a while ago: nearly a retention ago, and long before. */
  private readAgain(): void {
    const { loop, told, dice } = this;
    const kept = told.filter(({ atMs }) => loop.nowMs - atMs < RETENTION_MS - 2_000);
    const left = told.filter(({ atMs }) => loop.nowMs - atMs > RETENTION_MS + 2_000);
    if (kept.length > 0) this.ask(dice.pick(kept), ({ value }, of) => this.reread.push({ ...of, value }));
    if (left.length > 0 && this.expired.length < 20)
      this.ask(dice.pick(left), ({ error }) => this.expired.push(error?.name ?? "none"));
  }

  private ask(of: Told, then: (settlement: { value?: unknown; error?: Error }, of: Told) => void): void {
    this.client(1)
      ?.handle(of.id)
      .settled()
      .then(
        (settlement) => then(settlement, of),
        () => undefined,
      );
  }

  private sample(): void {
    const { server, subjects, auditor, loop } = this;
    const bytesOf = (stream: string): number =>
      server.stored(stream).reduce((sum, { data, subject }) => sum + data.length + subject.length, 0);
    this.samples.push({
      atMs: loop.nowMs,
      logBytes: bytesOf(subjects.stream(0)),
      checkpointBytes: bytesOf(subjects.checkpointStream(0)),
      settled: auditor.ledger.settled.size,
      senders: auditor.ledger.senders.size,
    });
  }
}

let run: Run;
beforeAll(async () => {
  run = new Run();
  await run.play();
}, 300_000);

test("nothing goes wrong, and everything that is submitted settles with its value", () => {
  expect(run.wrong).toEqual([]);
  expect(run.submitted).toBeGreaterThan(5_000);
  expect(run.told.length).toBeGreaterThan(run.submitted - 100);
  for (const { value, wanted } of run.told) expect(value).toBe(wanted);
});

test.each(["logBytes", "checkpointBytes", "settled", "senders"] as const)(
  "%s stop growing (I10)",
  (figure) => {
    const warm = run.samples.filter(({ atMs }) => atMs <= WARM_MS).map((sample) => sample[figure]);
    const later = run.samples.filter(({ atMs }) => atMs > WARM_MS).map((sample) => sample[figure]);
    expect(later.length).toBeGreaterThan(50);
    // What comes and goes by chance: no trend hides in it, for the load is four times as long as it takes to get warm.
    expect(Math.max(...later)).toBeLessThanOrEqual(1.25 * Math.max(...warm));
  },
);

test("the value of every task is there for as long as it is kept, and then its id is told to have expired", () => {
  expect(run.reread.length).toBeGreaterThan(400);
  for (const { value, wanted } of run.reread) expect(value).toBe(wanted);
  expect(new Set(run.expired)).toEqual(new Set(["ResultExpiredError"]));
});

test("a task that waits for nearly all the time holds nothing up, and is given what it was to be given", () => {
  expect(run.lastValue).toBe(321);
  expect(run.carried).toBeGreaterThan(10);
});
