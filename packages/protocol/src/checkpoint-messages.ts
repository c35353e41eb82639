/**
 * Between the leader and the standby that writes a checkpoint for it. The leader asks all standbys which of them would; the
 * one that answers first is then asked again and again until it has one that is new enough.
 */
import { Sender } from "./ids.ts";
import { TEXT_LENGTH_MAX } from "./limits.ts";
import { packr } from "./packr.ts";
import { WIRE_VERSION } from "./versions.ts";
import { checkVersion, count, guarded, oneOf, type Read, readWire, text } from "./wire-reader.ts";

/** For a checkpoint that has this record. */
export type CheckpointRequest = { readonly seq: number };
/** The standby that would write it. */
export type CheckpointOffer = { readonly standby: Sender };

export const CHECKPOINT_STATES = ["running", "done", "failed"] as const;

export type CheckpointAnswer = {
  readonly state: (typeof CHECKPOINT_STATES)[number];
  /** Why it failed. */
  readonly message: string;
};

export function encodeCheckpointRequest(request: CheckpointRequest): Uint8Array {
  return packr.pack([WIRE_VERSION, request.seq]);
}

export function decodeCheckpointRequest(data: Uint8Array): Read<CheckpointRequest> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    return { seq: count(wire[1], "sequence") };
  });
}

export function encodeCheckpointOffer(offer: CheckpointOffer): Uint8Array {
  return packr.pack([WIRE_VERSION, offer.standby]);
}

export function decodeCheckpointOffer(data: Uint8Array): Read<CheckpointOffer> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    return { standby: guarded<Sender>(wire[1], "standby", Sender.is) };
  });
}

export function encodeCheckpointAnswer(answer: CheckpointAnswer): Uint8Array {
  return packr.pack([WIRE_VERSION, answer.state, answer.message.slice(0, TEXT_LENGTH_MAX)]);
}

export function decodeCheckpointAnswer(data: Uint8Array): Read<CheckpointAnswer> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    return {
      state: oneOf(wire[1], "state", CHECKPOINT_STATES),
      message: text(wire[2], "message", TEXT_LENGTH_MAX),
    };
  });
}
