/**
 * What a coordinator does about checkpoints for whoever leads: a standby offers to write one, writes it of its own fold,
 * and says how far it is as often as it is asked.
 */
import {
  decodeCheckpointRequest,
  encodeCheckpointAnswer,
  encodeCheckpointOffer,
  inboxPrefix,
  type Subjects,
  senderOf,
} from "@weft/protocol";
import type { BusMessage, BusSubscription, Connection } from "@weft/transport";
import type { Checkpointer } from "./checkpointer.ts";

export type CheckpointDeskOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly checkpointer: Pick<Checkpointer, "write">;
  /** Whether it stands by and has folded this record. */
  readonly isStandbyAt: (seq: number) => boolean;
  readonly onVoid: (kind: string) => void;
  readonly log: (line: string) => void;
};

type Job = { readonly seq: number; state: "running" | "done" | "failed"; message: string };

export class CheckpointDesk {
  private readonly options: CheckpointDeskOptions;
  private readonly subscriptions: readonly BusSubscription[];
  private job: Job | null = null;

  constructor(options: CheckpointDeskOptions) {
    const { connection, subjects } = options;
    this.options = options;
    const listen = (subject: string, act: (seq: number, message: BusMessage) => void): BusSubscription =>
      connection.nats.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) this.onMessage(message, act);
        },
      });
    this.subscriptions = [
      listen(subjects.checkpointOfferAll(0), (seq, message) => this.offer(seq, message)),
      listen(subjects.checkpointRequestAll(0, connection.sender), (seq, message) =>
        this.answer(seq, message),
      ),
    ];
  }

  close(): void {
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private onMessage(message: BusMessage, act: (seq: number, message: BusMessage) => void): void {
    const leader = senderOf(message.subject);
    const read = decodeCheckpointRequest(message.data);
    if (leader === null || !read.ok || message.reply?.startsWith(`${inboxPrefix(leader)}.`) !== true)
      return this.options.onVoid("a request for a checkpoint that is none");
    act(read.value.seq, message);
  }

  private offer(seq: number, message: BusMessage): void {
    const { connection, isStandbyAt } = this.options;
    if (!isStandbyAt(seq)) return;
    message.respond(encodeCheckpointOffer({ standby: connection.sender }));
  }

  private answer(seq: number, message: BusMessage): void {
    if (this.job === null || (this.job.state !== "running" && this.job.seq !== seq)) this.begin(seq);
    const { job } = this;
    if (job === null) return;
    // A job for an older record runs its course: the leader asks again.
    const state = job.seq === seq ? job.state : "running";
    message.respond(encodeCheckpointAnswer({ state, message: job.message }));
    // What failed was told: asked again, it is tried again.
    if (job.seq === seq && job.state === "failed") this.job = null;
  }

  private begin(seq: number): void {
    const { checkpointer, log } = this.options;
    const job: Job = { seq, state: "running", message: "" };
    this.job = job;
    checkpointer.write(seq).then(
      () => {
        job.state = "done";
        log(`a checkpoint with record ${seq} is written`);
      },
      (error: unknown) => {
        job.state = "failed";
        job.message = error instanceof Error ? error.message : String(error);
      },
    );
  }
}
