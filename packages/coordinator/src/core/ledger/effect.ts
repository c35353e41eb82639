/** What a record did. The shell of the leader acts on effects; every other fold drops them. */
import type { Nonce, Sender, TaskId } from "@weft/protocol";
import type { LiveTask, SettledTask } from "./task.ts";

export type Effect =
  /** The log took a task. */
  | { readonly type: "submitted"; readonly task: LiveTask }
  /** It may run: dependencies settled. */
  | { readonly type: "released"; readonly task: LiveTask }
  /** It was released for as long as it may be before it is begun: the leader knows whether it was. */
  | { readonly type: "queue_overdue"; readonly task: LiveTask }
  /** A new attempt is current; the one before is void. It is released, or backs off first. */
  | { readonly type: "attempt_opened"; readonly task: LiveTask; readonly previous: number }
  /** Somebody wants it stopped. */
  | { readonly type: "cancelling"; readonly task: LiveTask }
  | {
      readonly type: "settled";
      readonly task: SettledTask;
      /** As it was. */
      readonly live: LiveTask;
      /** The last progress, where a worker recorded it. */
      readonly progress: Uint8Array | null;
      /** The value or failure, at hand because the record is. */
      readonly value: Uint8Array | null;
    }
  /** A task that the log has already was submitted again: whoever did follows the one there is. */
  | { readonly type: "submitted_again"; readonly id: TaskId; readonly sender: Sender }
  /** Its arguments, or its value, are in this record from now on. */
  | { readonly type: "carried"; readonly id: TaskId }
  /** Its value is kept no more: its client has it. */
  | { readonly type: "freed"; readonly id: TaskId }
  | { readonly type: "leader_elected"; readonly epoch: number; readonly nonce: Nonce }
  | { readonly type: "leader_resigned"; readonly epoch: number }
  /** The leader's fold had come to something else at that record. */
  | { readonly type: "diverged"; readonly seq: number }
  /** The record, or a part of it, had no effect. */
  | { readonly type: "void"; readonly why: VoidReason };

export type VoidReason =
  | "repeat"
  | "sender differs from subject"
  | "wrong control secret"
  | "another epoch"
  | "submit of a task that has expired"
  | "task of another partition"
  | "finish of an unknown task"
  | "finish of a settled task"
  | "finish of an attempt that is not current"
  | "loss of an attempt that is not current"
  | "expiry of an attempt that is not current"
  | "carry of a value that is not there any more"
  | "receipt of a result that is not there"
  | "cancel of a settled task";
