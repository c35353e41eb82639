/** What a client has the log keep, and the records that it travels in. */
import {
  type Cancel,
  DefectError,
  encodeRecord,
  type InstanceId,
  type Submission,
  SubmitRecordWriter,
  type TaskId,
} from "@weft/protocol";
import type { OutboxItem, OutboxRecord } from "@weft/transport";
import { ID_BYTES } from "./submission.ts";

type SubmitItem = OutboxItem & {
  readonly kind: "submit";
  /** What is to be written of it, once: its record has that from then on. */
  takeSubmission(): Submission | null;
};
type CancelItem = OutboxItem & { readonly kind: "cancel"; readonly cancel: Cancel };
type ReceivedItem = OutboxItem & { readonly kind: "received"; readonly id: TaskId };
export type ClientItem = SubmitItem | CancelItem | ReceivedItem;
type Kind = ClientItem["kind"];

const CANCEL_BYTES = 32;

const nothing = (): void => undefined;

export function cancelItem(cancel: Cancel): ClientItem {
  return { kind: "cancel", cancel, bytes: CANCEL_BYTES, acknowledged: nothing, abandoned: nothing };
}

export function receivedItem(id: TaskId): ClientItem {
  return { kind: "received", id, bytes: ID_BYTES, acknowledged: nothing, abandoned: nothing };
}

export class ClientRecords {
  private readonly instance: InstanceId;
  private readonly writer = new SubmitRecordWriter();
  /** The record that tasks are written into; 0 where there is none. */
  private open = 0;
  /** Submit records that are written and have not left, by number. */
  private readonly written = new Map<number, Uint8Array>();

  constructor(instance: InstanceId) {
    this.instance = instance;
  }

  /** An item goes into the record of that number: that of the one before, or the next. */
  packed(item: ClientItem, number: number): void {
    const submission = item.kind === "submit" ? item.takeSubmission() : null;
    if (submission === null) return;
    if (number !== this.open) this.begin(number);
    this.writer.write(submission);
  }

  encode({ number, items }: OutboxRecord<Kind, ClientItem>): Uint8Array {
    const { instance } = this;
    const cancels: Cancel[] = [];
    const ids: TaskId[] = [];
    for (const item of items) {
      if (item.kind === "submit") return this.take(number);
      if (item.kind === "cancel") cancels.push(item.cancel);
      else ids.push(item.id);
    }
    return cancels.length > 0
      ? encodeRecord({ type: "cancel", instance, number, cancels })
      : encodeRecord({ type: "received", instance, number, ids });
  }

  private begin(number: number): void {
    this.end();
    this.open = number;
    this.writer.begin(this.instance, number);
  }

  private end(): void {
    if (this.open !== 0) this.written.set(this.open, this.writer.end());
    this.open = 0;
  }

  private take(number: number): Uint8Array {
    if (number === this.open) this.end();
    const bytes = this.written.get(number);
    if (bytes === undefined) throw new DefectError(`record ${number} was not written`);
    this.written.delete(number);
    return bytes;
  }
}
