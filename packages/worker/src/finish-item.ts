/** A finish on its way into the log. */
import { encodeRecord, type Finish, type InstanceId } from "@weft/protocol";
import type { OutboxItem, OutboxRecord } from "@weft/transport";

const ENVELOPE_BYTES = 48;

export type FinishItem = OutboxItem & { readonly finish: Finish };

export function finishItem(finish: Finish, acknowledged: (seq: number) => void): FinishItem {
  const bytes = ENVELOPE_BYTES + (finish.value?.length ?? 0) + (finish.progress?.length ?? 0);
  // What was not acknowledged when the worker closes is run again by another: the leader finds this worker gone.
  return { finish, bytes, acknowledged, abandoned: () => undefined };
}

export function encodeFinishes(instance: InstanceId, record: OutboxRecord<"finish", FinishItem>): Uint8Array {
  const finishes = record.items.map((item) => item.finish);
  return encodeRecord({ type: "finish", instance, number: record.number, finishes });
}
