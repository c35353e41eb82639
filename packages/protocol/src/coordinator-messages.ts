/** What coordinators say of themselves to each other, each second, over plain NATS. */
import { packr } from "./packr.ts";
import { WIRE_VERSION } from "./versions.ts";
import { checkVersion, count, fields, oneOf, type Read, readWire, text } from "./wire-reader.ts";

export const COORDINATOR_STATES = ["following", "standing", "leading", "left"] as const;

export type CoordinatorPresence = {
  readonly state: (typeof COORDINATOR_STATES)[number];
  /** The epoch in force, by its fold: while it leads, its own. */
  readonly epoch: number;
  /** The newest rules by which it can fold. */
  readonly foldVersion: number;
  readonly foldedSeq: number;
  readonly host: string;
  readonly pid: number;
  readonly startedAtMs: number;
};

export function encodeCoordinatorPresence(presence: CoordinatorPresence): Uint8Array {
  return packr.pack([WIRE_VERSION, presence]);
}

export function decodeCoordinatorPresence(data: Uint8Array): Read<CoordinatorPresence> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    const f = fields(wire[1], "coordinator");
    return {
      state: oneOf(f.state, "state", COORDINATOR_STATES),
      epoch: count(f.epoch, "epoch"),
      foldVersion: count(f.foldVersion, "fold version"),
      foldedSeq: count(f.foldedSeq, "folded"),
      host: text(f.host, "host", 255),
      pid: count(f.pid, "pid"),
      startedAtMs: count(f.startedAtMs, "start"),
    };
  });
}
