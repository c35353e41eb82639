/** What of the log somebody may still ask for: arguments of live tasks, values of settled ones. */
import type { Carried, LogRecord } from "@weft/protocol";
import type { LedgerState } from "./state.ts";

/** Needed of one record: one value, or all of those that were carried to it. */
export type Needed = { readonly seq: number; readonly count: number; readonly bytes: number };

/** In the order of the log. What was carried is passed over where it would be by its age, and comes where it is. */
export function* neededValues(ledger: LedgerState): Generator<Needed> {
  const heads: { from: Iterator<Needed>; next: Needed }[] = [];
  for (const from of [argumentsNeeded(ledger), resultsNeeded(ledger), carriedNeeded(ledger)]) {
    const first = from.next();
    if (first.done !== true) heads.push({ from, next: first.value });
  }
  for (;;) {
    const [one, ...others] = heads;
    if (one === undefined) return;
    const oldest = others.reduce((least, each) => (each.next.seq < least.next.seq ? each : least), one);
    yield oldest.next;
    const following = oldest.from.next();
    if (following.done === true) heads.splice(heads.indexOf(oldest), 1);
    else oldest.next = following.value;
  }
}

/** The oldest record that is needed; the one after the last where none is. */
export function oldestNeededSeq(ledger: LedgerState): number {
  for (const { seq } of neededValues(ledger)) return seq;
  return ledger.seq + 1;
}

/** What of a record is still needed, to be carried from it. */
export function neededOf(ledger: LedgerState, seq: number, record: LogRecord): Carried[] {
  const { live, settled } = ledger;
  return valuesOf(record).flatMap(({ part, id, value }, index) => {
    const position = part === "arguments" ? live.get(id)?.submitted : settled.get(id)?.finish;
    if (position?.seq !== seq || position.index !== index) return [];
    // What a worker told of a task that was cancelled is no result.
    const isNone = part === "result" && settled.valueBytesOf(id) === 0;
    return [{ part, id, seq, index, value: isNone ? null : value }];
  });
}

function valuesOf(record: LogRecord): Pick<Carried, "part" | "id" | "value">[] {
  switch (record.type) {
    case "submit":
      return record.tasks.map(({ id, args }) => ({ part: "arguments", id, value: args }));
    case "finish":
      return record.finishes.map(({ id, value }) => ({ part: "result", id, value }));
    case "control":
      return record.event.type === "carry" ? [...record.event.carried] : [];
    case "cancel":
    case "received":
      return [];
  }
}

function* argumentsNeeded({ live, carried }: LedgerState): Generator<Needed> {
  for (const { submitted, argsBytes } of live)
    if (!carried.has(submitted.seq)) yield { seq: submitted.seq, count: 1, bytes: argsBytes };
}

function* resultsNeeded({ settled, carried }: LedgerState): Generator<Needed> {
  for (const { seq, bytes } of settled.held(carried)) yield { seq, count: 1, bytes };
}

function* carriedNeeded({ carried }: LedgerState): Generator<Needed> {
  for (const [seq, { count, bytes }] of carried) yield { seq, count, bytes };
}
