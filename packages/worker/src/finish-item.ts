/** A finish on its way into the log. */
import { encodeRecord, type Finish, type InstanceId } from "@weft/protocol";
import type { OutboxItem, OutboxRecord } from "@weft/transport";
import type { Held } from "./core/attempts.ts";

const ENVELOPE_BYTES = 48;

/** Told of each finish that the log has. */
export type FinishListener = (item: FinishItem, seq: number) => void;

export class FinishItem implements OutboxItem {
  readonly finish: Finish;
  readonly held: Held;
  readonly bytes: number;
  private readonly listener: FinishListener;

  constructor(finish: Finish, held: Held, listener: FinishListener) {
    this.finish = finish;
    this.held = held;
    this.bytes = ENVELOPE_BYTES + (finish.value?.length ?? 0) + (finish.progress?.length ?? 0);
    this.listener = listener;
  }

  acknowledged(seq: number): void {
    this.listener(this, seq);
  }

  /** What was not acknowledged when the worker closes is run again by another: the leader finds this worker gone. */
  abandoned(): void {}
}

export function encodeFinishes(instance: InstanceId, record: OutboxRecord<"finish", FinishItem>): Uint8Array {
  const finishes = record.items.map((item) => item.finish);
  return encodeRecord({ type: "finish", instance, number: record.number, finishes });
}
