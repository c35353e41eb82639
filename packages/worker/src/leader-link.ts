/**
 * A worker's side of its conversation with the leader: it announces itself each second and whenever a new leader is
 * heard of, and takes messages of the newest leader only.
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
import type { BusMessage, Connection, Timer } from "@weft/transport";
import type { AttemptRunner } from "./attempt-runner.ts";

export type LeaderLinkOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly runner: AttemptRunner;
  readonly names: readonly TaskName[];
  readonly labels: readonly string[];
  readonly log: (line: string) => void;
};

const PRESENCE_MS = 1_000;
const VOID_KINDS_MAX = 100;

export class LeaderLink {
  private readonly options: LeaderLinkOptions;
  private readonly startedAtMs: number;
  private readonly timer: Timer;
  private readonly voided = new Set<string>();
  private state: Presence["state"] = "ready";
  private epoch = 0;
  private seen = 0;

  constructor(options: LeaderLinkOptions) {
    const { connection, subjects } = options;
    this.options = options;
    this.startedAtMs = connection.clock.wallMs();
    this.listen(subjects.worker(connection.sender), (message) => this.onMessage(message));
    this.listen(subjects.probe(connection.sender), (message) => {
      message.respond(encodeProbeAnswer({ blockedMs: 0 }));
    });
    this.listen(subjects.helloAll(), (message) => this.onHello(message));
    this.timer = connection.clock.every(PRESENCE_MS, () => this.announce());
    this.announce();
  }

  announce(): void {
    const { connection, subjects, runner, names, labels } = this.options;
    if (connection.nats.isClosed()) return;
    const { attempts } = runner;
    const presence: Presence = {
      state: this.state,
      slots: attempts.slots,
      credits: this.state === "ready" ? attempts.credits : 0,
      names,
      labels,
      host: hostname(),
      pid: process.pid,
      startedAtMs: this.startedAtMs,
      held: attempts.held(),
      running: attempts.running,
      epoch: this.epoch,
      seen: this.seen,
      appendedSeq: runner.appendedSeq,
    };
    connection.nats.publish(subjects.presence(connection.sender), encodePresence(presence));
  }

  /** From now on no assignment is taken. */
  drain(): void {
    this.state = "draining";
    this.announce();
  }

  /** The last word: what is still held here is free for others. */
  leave(): void {
    this.timer.cancel();
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

  /** Follows a newer leader, and tells it at once what is held here. */
  private adopt(epoch: number): void {
    if (epoch <= this.epoch) return;
    this.epoch = epoch;
    this.seen = 0;
    this.announce();
  }

  private onMessage(message: BusMessage): void {
    const read = decodeWorkerMessage(message.data);
    if (!read.ok) return this.void(`message of a leader: ${read.kind}`);
    const { epoch, number, assignments, cancels, aborts } = read.value;
    if (epoch < this.epoch) return this.void("message of an old leader");
    this.adopt(epoch);
    this.seen = Math.max(this.seen, number);
    const { runner } = this.options;
    for (const attempt of aborts) runner.abort(attempt);
    if (this.state === "ready") runner.assign(assignments);
    for (const cancel of cancels) runner.cancel(cancel, cancel.reason);
    runner.startNext();
  }

  private void(kind: string): void {
    if (this.voided.has(kind) || this.voided.size >= VOID_KINDS_MAX) return;
    this.voided.add(kind);
    this.options.log(`void: ${kind} (further ones are not logged)`);
  }
}
