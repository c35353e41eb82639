/** Lists in a checkpoint: how many rows, then the rows. Both stop where a chunk ends, and go on with the next. */
import type { StateReader } from "./state-reader.ts";
import type { StateWriter } from "./state-writer.ts";

export function* saveRows<Row>(
  to: StateWriter,
  rows: Iterable<Row>,
  count: number,
  save: (row: Row) => void,
): Generator<void> {
  to.count(count);
  for (const row of rows) {
    save(row);
    if (to.isFull) yield;
  }
}

export function* loadRows(from: StateReader, load: (index: number) => void): Generator<void> {
  if (from.isAtEnd) yield;
  const count = from.count();
  for (let index = 0; index < count; index++) {
    if (from.isAtEnd) yield;
    load(index);
  }
}
