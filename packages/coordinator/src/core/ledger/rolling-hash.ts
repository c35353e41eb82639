/**
 * What the fold has done so far, in two lanes of 32 bits: integers only, so that every machine gets the same. Two folds
 * that differ in what a record did differ in it from there on.
 */
import { assertNever, type HashMark } from "@weft/protocol";
import type { StateReader } from "../codec/state-reader.ts";
import type { StateWriter } from "../codec/state-writer.ts";
import type { Effect } from "./effect.ts";
import type { LogEntry } from "./ledger.ts";

const TWO_TO_32 = 0x1_0000_0000;
/** Characters that go into one word: ids are most of what is hashed, and with a word each a task takes 0.88 µs in place of 0.36. */
const CHARACTERS = 4;

/** What stands for a kind of effect. Never changed: marks of logs that were written are made of them. */
const CODES: Readonly<Record<Effect["type"], number>> = {
  submitted: 1,
  released: 2,
  queue_overdue: 3,
  attempt_opened: 4,
  cancelling: 5,
  settled: 6,
  submitted_again: 7,
  leader_elected: 8,
  leader_resigned: 9,
  diverged: 10,
  void: 11,
  carried: 12,
  freed: 13,
};

export class RollingHash {
  high = 0;
  low = 0;

  /** The record of that sequence is done with. */
  record({ seq, subject, record }: LogEntry, effects: readonly Effect[]): void {
    this.number(seq);
    this.text(record === null ? "" : subject.kind);
    for (const effect of effects) this.effect(effect);
  }

  /** What stands now, for the leader to tell. */
  mark(seq: number): HashMark {
    return { seq, high: this.high, low: this.low };
  }

  save(to: StateWriter): void {
    to.count(this.high);
    to.count(this.low);
  }

  load(from: StateReader): void {
    this.high = from.count();
    this.low = from.count();
  }

  private number(value: number): void {
    this.word(value >>> 0);
    if (value >= TWO_TO_32) this.word(Math.floor(value / TWO_TO_32));
  }

  private text(value: string): void {
    const { length } = value;
    this.word(length);
    let word = 0;
    for (let at = 0; at < length; at++) {
      const place = at % CHARACTERS;
      word ^= value.charCodeAt(at) << (8 * place);
      if (place < CHARACTERS - 1 && at < length - 1) continue;
      this.word(word);
      word = 0;
    }
  }

  private effect(effect: Effect): void {
    this.word(CODES[effect.type]);
    switch (effect.type) {
      case "submitted":
      case "released":
      case "queue_overdue":
      case "attempt_opened":
      case "cancelling":
        this.text(effect.task.id);
        return this.number(effect.task.attempt);
      case "settled":
        this.text(effect.task.id);
        this.number(effect.task.attempt);
        this.number(effect.task.tries);
        this.text(effect.task.outcome);
        return this.text(effect.task.verdict?.type ?? "");
      case "submitted_again":
      case "carried":
      case "freed":
        return this.text(effect.id);
      case "leader_elected":
      case "leader_resigned":
        return this.number(effect.epoch);
      case "diverged":
        return this.number(effect.seq);
      case "void":
        return this.text(effect.why);
      default:
        return assertNever(effect);
    }
  }

  private word(word: number): void {
    let high = Math.imul(this.high ^ word, 0x9e3779b1);
    high ^= high >>> 15;
    this.high = high >>> 0;
    let low = Math.imul(this.low + word, 0x85ebca6b) ^ high;
    low ^= low >>> 13;
    this.low = low >>> 0;
  }
}
