import { ControlSecret, InstanceId, Nonce } from "@weft/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { CLIENT, idOf, submission, TestLog, typesOf, WORKER } from "./test-log.ts";

let log: TestLog;
beforeEach(() => {
  log = new TestLog();
  log.elect();
});

const outcomes = (...ids: readonly number[]): string[] => ids.map((id) => log.outcomeOf(id));

describe("losses", () => {
  test("open the next attempt, four times; the fifth lost worker fails the task", () => {
    log.submit([submission(1), submission(2, [1])]);
    for (let attempt = 1; attempt <= 4; attempt++) {
      expect(log.ledger.live.get(idOf(1))?.attempt).toBe(attempt);
      log.lose(1);
    }
    expect(log.outcomeOf(1)).toBe("released");
    log.lose(1);
    expect(log.ledger.settled.get(idOf(1))?.verdict).toEqual({
      type: "workers_lost",
      losses: [1, 2, 3, 4, 5].map(() => ({ worker: WORKER, atMs: log.nowMs })),
    });
    expect(log.outcomeOf(2)).toBe("failed");
  });

  test("of a task that somebody wants stopped end it as cancelled, even the fifth", () => {
    log.submit([submission(1)]);
    for (let i = 0; i < 4; i++) log.lose(1);
    log.cancel([1], "enough");
    log.lose(1);
    expect(log.ledger.settled.get(idOf(1))).toMatchObject({
      outcome: "cancelled",
      verdict: { type: "cancelled", reason: "enough", stopped: "while_running" },
    });
  });

  test("that are not the worker's are not counted against the task", () => {
    log.submit([submission(1)]);
    for (let i = 0; i < 20; i++) log.lose(1, { lostWorker: null, started: false });
    expect(log.ledger.live.get(idOf(1))).toMatchObject({ state: "released", tries: 0, attempt: 21 });
  });
});

describe("control records", () => {
  test("of another process do nothing, also where its epoch was the same before the log lost its end", () => {
    const tick = { type: "tick", mark: { seq: log.ledger.lastControlSeq, high: 1, low: 2 } } as const;
    const other = InstanceId.parse("k2");
    const { secret } = log.ledger.config;
    const record = { type: "control", instance: other, number: 1, epoch: log.ledger.epoch } as const;
    const told = log.append(
      { kind: "control", secret },
      { ...record, wallMs: log.nowMs, foldVersion: 1, event: tick },
    );
    expect(typesOf(told)).toEqual(["void: another epoch"]);
  });

  test("of another epoch or with another secret do nothing", () => {
    log.submit([submission(1)]);
    const old = log.ledger.epoch;
    log.elect();
    const lost = {
      type: "lost",
      attempts: [{ id: idOf(1), attempt: 1, started: true, lostWorker: WORKER }],
    } as const;
    expect(typesOf(log.control(lost, old))).toEqual(["void: another epoch"]);
    const guess = ControlSecret.create();
    expect(typesOf(log.control({ type: "elected", nonce: Nonce.create() }, 0, guess))).toEqual([
      "void: wrong control secret",
    ]);
    expect(log.ledger.live.get(idOf(1))?.attempt).toBe(1);
    expect(log.ledger.lastControlSeq).toBeLessThan(log.ledger.seq);
  });

  test("after a leader has resigned do nothing until the next is elected", () => {
    log.control({ type: "resigned" });
    expect(typesOf(log.control({ type: "tick", mark: null }))).toEqual(["void: another epoch"]);
    expect(typesOf(log.elect())).toEqual(["leader_elected"]);
  });

  test("raise the rules in force, and never lower them", () => {
    const before = log.ledger.foldVersion;
    log.control({ type: "fold_version", version: before + 2 });
    expect(log.ledger.foldVersion).toBe(before + 2);
    log.control({ type: "fold_version", version: before + 1 });
    log.control({ type: "elected", nonce: Nonce.create() });
    expect(log.ledger.foldVersion).toBe(before + 2);
  });

  test("move the clock, and one wrong clock cannot move it far", () => {
    const before = log.ledger.clock.nowMs;
    log.nowMs += 3_600_000;
    const wrongWall = log.nowMs + 86_400_000;
    const record = {
      type: "control",
      instance: InstanceId.parse("k1"),
      number: 99,
      epoch: log.ledger.epoch,
      foldVersion: 1,
      event: { type: "tick", mark: null },
    } as const;
    log.nowMs -= 3_600_000 - 500;
    log.append(
      { kind: "control", secret: (log.entries[0]?.subject as { secret: ControlSecret }).secret },
      { ...record, wallMs: wrongWall },
    );
    expect(log.ledger.clock.nowMs - before).toBe(500);
  });
});

describe("records that do not belong", () => {
  test("whose sender is not the one of its subject are void", () => {
    const record = {
      type: "submit",
      instance: InstanceId.parse("other"),
      number: 1,
      tasks: [submission(1)],
    } as const;
    expect(typesOf(log.append({ kind: "submit", sender: CLIENT }, record))).toEqual([
      "void: sender differs from subject",
    ]);
    expect(log.outcomeOf(1)).toBe("unknown");
  });

  test("whose kind is not the one of its subject, or that are none, do nothing", () => {
    const record = { type: "cancel", instance: InstanceId.parse("w1"), number: 1, cancels: [] } as const;
    expect(log.append({ kind: "finish", sender: WORKER }, record)).toEqual([]);
    expect(log.append({ kind: "submit", sender: CLIENT }, null)).toEqual([]);
  });

  test("of a child whose parent's attempt is over are refused", () => {
    log.submit([submission(1)]);
    log.lose(1);
    log.submit([
      submission(2, [], { parent: { id: idOf(1), attempt: 1 } }),
      submission(3, [], { parent: { id: idOf(1), attempt: 2 } }),
    ]);
    expect(outcomes(2, 3)).toEqual(["rejected", "released"]);
  });
});
