/** Random numbers, as shells see them: handed in, so that a simulation can draw them from its seed. */
import { randomInt } from "node:crypto";
import { randomCharacter } from "@weft/protocol";
import { nanoid } from "nanoid";

export type Entropy = {
  /** Characters of A-Z a-z 0-9 _ -. */
  readonly token: (length: number) => string;
  /** The code of one such character. */
  readonly character: () => number;
  /** A whole number from 0 to below `limit`. */
  readonly below: (limit: number) => number;
};

export const systemEntropy: Entropy = {
  token: (length) => nanoid(length),
  character: randomCharacter,
  below: (limit) => randomInt(limit),
};
