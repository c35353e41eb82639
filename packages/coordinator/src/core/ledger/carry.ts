/**
 * Values that are needed, although the records around them are not, are written anew at the end of the log: then the log
 * can be purged beyond the place that they had.
 *
 * K1 A value moves only from the place that the record names, and only if it is as long as it was. So a record that comes
 *    twice, or too late, moves nothing, and whoever reads the old place as long as it is there reads the same.
 * K2 `carried` knows how much of each record that values were carried to is still needed.
 */
import { assertNever, type Carried } from "@weft/protocol";
import type { LedgerState } from "./state.ts";
import type { Position } from "./task.ts";

export function carryAll(ledger: LedgerState, seq: number, carried: readonly Carried[]): void {
  for (let index = 0; index < carried.length; index++) {
    const each = carried[index];
    if (each === undefined) continue;
    if (carry(ledger, each, { seq, index })) ledger.effects.push({ type: "carried", id: each.id });
    else ledger.void("carry of a value that is not there any more");
  }
}

function carry(ledger: LedgerState, given: Carried, to: Position): boolean {
  const { part, id } = given;
  const bytes = given.value?.length ?? 0;
  switch (part) {
    case "arguments": {
      const task = ledger.live.get(id);
      if (task === undefined || !isAt(task.submitted, given) || task.argsBytes !== bytes) return false;
      task.submitted = to;
      break;
    }
    case "result": {
      const { settled } = ledger;
      if (!isAt(settled.get(id)?.finish, given) || settled.valueBytesOf(id) !== bytes) return false;
      settled.moveValue(id, to);
      break;
    }
    default:
      return assertNever(part);
  }
  ledger.carried.drop(given.seq, bytes);
  ledger.carried.add(to.seq, bytes);
  return true;
}

function isAt(position: Position | null | undefined, { seq, index }: Position): boolean {
  return position?.seq === seq && position.index === index;
}
