/**
 * A worker's side of its conversation with the leader: it announces itself each second and whenever a new leader is
 * heard of, and takes messages of the newest leader only.
 *
 * K1 A message is taken in its turn or not at all: the leader sends again what a worker that has seen a later one lacks.
 * K2 An older epoch counts again once the newer one has been silent for a lease: a log that lost its tail, or was made
 *    anew, goes on from a lower number.
 * K3 A worker that is cut off for a lease runs nothing: others do.
 */
import { hostname } from "node:os";
import {
  decodeHello,
  decodeWorkerMessage,
  encodePresence,
  encodeProbeAnswer,
  type Presence,
  type Subjects,
  type TaskName,
} from "@weft/protocol";
import type { BusMessage, Connection, Pace, Timer } from "@weft/transport";
import type { AttemptRunner } from "./attempt-runner.ts";

export type LeaderLinkOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly runner: AttemptRunner;
  /** The beat in which it looks whether it is cut off. */
  readonly pace: Pick<Pace, "onBeat" | "periodMs" | "advanced">;
  /** The event loop turns, and code may be about to begin that keeps it from doing so. */
  readonly onTurn: () => void;
  readonly names: readonly TaskName[];
  readonly labels: readonly string[];
  /** How long what runs goes on while the connection is down. */
  readonly cutOffMs: number;
  readonly log: (line: string) => void;
};

const PRESENCE_MS = 1_000;
const VOID_KINDS_MAX = 100;
const LEASE_MS = 10_000;
/** So much later than it was to be a step may come. What lies between two beyond that was a pause of this process. */
const STEP_LATE_MS = 500;
const CHECK_TIMEOUT_MS = 1_000;
const CHECKS_MAX = 3;

export class LeaderLink {
  private readonly options: LeaderLinkOptions;
  private readonly startedAtMs: number;
  private readonly timers: readonly Timer[];
  private readonly voided = new Set<string>();
  private state: Presence["state"] = "ready";
  private epoch = 0;
  private seen = 0;
  private connected = true;
  private steppedAtMs: number;
  private stepMaxMs: number;
  /** How long the leader has been silent, and how long the connection has been down, in time that this process ran. */
  private silentMs = 0;
  private cutMs = 0;

  constructor(options: LeaderLinkOptions) {
    const { connection, subjects } = options;
    this.options = options;
    this.startedAtMs = connection.clock.wallMs();
    this.listen(subjects.worker(connection.sender), (message) => this.onMessage(message));
    this.listen(subjects.probe(connection.sender), (message) => {
      message.respond(encodeProbeAnswer({ blockedMs: 0, begun: null }));
    });
    this.listen(subjects.helloAll(), (message) => this.onHello(message));
    this.steppedAtMs = connection.clock.nowMs();
    this.stepMaxMs = options.pace.periodMs + STEP_LATE_MS;
    this.timers = [
      connection.clock.every(PRESENCE_MS, () => this.announce()),
      options.pace.onBeat(() => this.step()),
    ];
    this.announce();
  }

  announce(): void {
    const { connection, subjects } = this.options;
    if (connection.nats.isClosed()) return;
    connection.nats.publish(subjects.presence(connection.sender), encodePresence(this.presence()));
  }

  /** Announces this worker, and resolves when the leader has acted on it: what it had to say is here. */
  async check(): Promise<void> {
    const { connection, subjects } = this.options;
    const { nats, sender } = connection;
    for (let tries = 0; tries < CHECKS_MAX && !nats.isClosed(); tries++) {
      const answer = nats.request(subjects.presence(sender), encodePresence(this.presence()), {
        timeout: CHECK_TIMEOUT_MS,
      });
      if (
        await answer.then(
          () => true,
          () => false,
        )
      )
        return;
    }
  }

  disconnected(): void {
    this.connected = false;
  }

  reconnected(): void {
    this.connected = true;
    this.cutMs = 0;
    this.announce();
  }

  private presence(): Presence {
    const { runner, names, labels } = this.options;
    const { attempts } = runner;
    return {
      state: this.state,
      slots: attempts.slots - attempts.leftBehind,
      credits: this.state === "ready" ? runner.credits : 0,
      names,
      labels,
      host: hostname(),
      pid: process.pid,
      startedAtMs: this.startedAtMs,
      held: attempts.held(),
      running: attempts.running - attempts.leftBehind,
      graceMs: runner.graceMs,
      epoch: this.epoch,
      seen: this.seen,
      appendedSeq: runner.appendedSeq,
    };
  }

  private step(): void {
    const nowMs = this.options.connection.clock.nowMs();
    const stepMs = Math.min(nowMs - this.steppedAtMs, this.stepMaxMs);
    this.steppedAtMs = nowMs;
    this.stepMaxMs = this.options.pace.periodMs + STEP_LATE_MS;
    this.silentMs += stepMs;
    if (this.options.runner.reviewCredits()) this.announce();
    if (this.connected) return;
    const before = this.cutMs;
    this.cutMs += stepMs;
    const { cutOffMs, runner, log } = this.options;
    if (before >= cutOffMs || this.cutMs < cutOffMs) return;
    log(`cut off from NATS for ${cutOffMs} ms: what it runs is stopped, for others may run it by now`);
    runner.abandonAll();
  }

  /** From now on no assignment is taken. */
  drain(): void {
    this.state = "draining";
    this.announce();
  }

  /** The last word: what is still held here is free for others. */
  leave(): void {
    for (const timer of this.timers) timer.cancel();
    this.state = "left";
    this.announce();
  }

  private listen(subject: string, onMessage: (message: BusMessage) => void): void {
    this.options.connection.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) onMessage(message);
      },
    });
  }

  private onHello(message: BusMessage): void {
    const read = decodeHello(message.data);
    if (read.ok) this.adopt(read.value.epoch);
    else this.void(`hello: ${read.kind}`);
  }

  /** Follows a newer leader, and tells it at once what is held here. False for a leader that is none any more (K2). */
  private adopt(epoch: number): boolean {
    if (epoch < this.epoch && this.silentMs < LEASE_MS) return false;
    this.silentMs = 0;
    if (epoch === this.epoch) return true;
    this.epoch = epoch;
    this.seen = 0;
    this.announce();
    return true;
  }

  private onMessage(message: BusMessage): void {
    const read = decodeWorkerMessage(message.data);
    if (!read.ok) return this.void(`message of a leader: ${read.kind}`);
    const { epoch, number, assignments, cancels, aborts } = read.value;
    if (!this.adopt(epoch)) return this.void("message of an old leader");
    const isInTurn = number > this.seen;
    this.seen = Math.max(this.seen, number);
    const { runner, pace, onTurn } = this.options;
    onTurn();
    for (const attempt of aborts) runner.abort(attempt);
    if (this.state === "ready" && isInTurn) runner.assign(assignments);
    for (const cancel of cancels) runner.cancel(cancel, cancel.reason);
    runner.startNext();
    pace.advanced();
  }

  private void(kind: string): void {
    if (this.voided.has(kind) || this.voided.size >= VOID_KINDS_MAX) return;
    this.voided.add(kind);
    this.options.log(`void: ${kind} (further ones are not logged)`);
  }
}
