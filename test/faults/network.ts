/** The network between the parties of a fault run, and what can be done to it. */
import type { NatsCluster } from "@weft/testing";
import type { Dice } from "@weft/testing/simulation";

/** Where a party runs, and how it reaches NATS from there. */
export type Place = {
  /** A command and its arguments that becomes the party's process. */
  readonly through: readonly string[];
  readonly urls: readonly string[];
};

/** Something that was done to the network. */
export type Harm = { readonly what: string; readonly mend: () => Promise<void> };

export type HarmKind = "cut" | "slow" | "stall" | "drop";

export type Network = {
  /** What it is made of, for the story. */
  readonly title: string;
  readonly kinds: readonly HarmKind[];
  /** Parties whose network can be harmed: NATS nodes as well, where each has a network of its own. */
  readonly parties: readonly string[];
  readonly startNodes: (count: number) => Promise<NatsCluster>;
  /** A place for a party; the nodes are there already. */
  readonly join: (party: string) => Promise<Place>;
  readonly harm: (kind: HarmKind, party: string, dice: Dice) => Promise<Harm>;
  /** Null where the store of the last node is not on a small disk. */
  readonly disk: Disk | null;
  readonly close: () => Promise<void>;
};

/** The small disk of one NATS node. */
export type Disk = {
  /** Leaves so many free bytes. */
  readonly fill: (freeBytes: number) => Promise<void>;
  readonly free: () => Promise<void>;
};
