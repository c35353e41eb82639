/** What a stranger may append: bytes of no meaning, or of a record with one of them changed. */
import type { Dice } from "../dice.ts";
import type { SimStored } from "./log-store.ts";

export type Garbage = { readonly subject: string; readonly data: Uint8Array };

const BYTES_MAX = 64;

/** The last token of a subject is not a stranger's to use: permissions hold senders to theirs, and one is a secret. */
export function garbageLike({ subject, data }: SimStored, dice: Dice): Garbage {
  const isChanged = dice.chance(0.5) && data.length > 0;
  return {
    subject: subject.replace(/[^.]+$/, "stranger"),
    data: isChanged ? changed(data, dice) : new Uint8Array(dice.below(BYTES_MAX)).map(() => dice.below(256)),
  };
}

function changed(data: Uint8Array, dice: Dice): Uint8Array {
  const copy = Uint8Array.from(data);
  copy[dice.below(copy.length)] = dice.below(256);
  return copy;
}
