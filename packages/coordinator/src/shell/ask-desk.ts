/**
 * Takes questions from the wire. A question that names a sequence which is not folded yet waits a moment for it; one that
 * comes while this coordinator does not lead gets no answer, so that the asker asks again.
 */
import {
  type Ask,
  decodeAsk,
  encodeReply,
  inboxPrefix,
  type Sender,
  type Subjects,
  senderOf,
} from "@weft/protocol";
import type { Bus, BusMessage, BusSubscription } from "@weft/transport";
import { answer, type QueryContext } from "./queries.ts";

export type AskDeskOptions = {
  readonly nats: Bus;
  readonly subjects: Subjects;
  /** Null while this coordinator does not lead. */
  readonly context: () => QueryContext | null;
  readonly onVoid: (kind: string) => void;
};

type Waiting = { readonly message: BusMessage; readonly asker: Sender; readonly ask: Ask };

const WAITING_MAX = 10_000;

export class AskDesk {
  private readonly options: AskDeskOptions;
  private readonly subscription: BusSubscription;
  private waiting: Waiting[] = [];

  constructor(options: AskDeskOptions) {
    this.options = options;
    this.subscription = options.nats.subscribe(options.subjects.askAll(0), {
      callback: (error, message) => {
        if (error === null) this.onMessage(message);
      },
    });
  }

  close(): void {
    this.subscription.unsubscribe();
  }

  /** The fold has moved: answers what waited for it. */
  folded(): void {
    if (this.waiting.length === 0) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const each of waiting) this.take(each);
  }

  private onMessage(message: BusMessage): void {
    const asker = senderOf(message.subject);
    const read = decodeAsk(message.data);
    if (asker === null || !read.ok) return this.options.onVoid(read.ok ? "question of nobody" : read.kind);
    // An answer goes to the sender's own inbox only, whatever reply subject the message names.
    if (message.reply?.startsWith(`${inboxPrefix(asker)}.`) !== true) {
      return this.options.onVoid("question with a reply subject outside the sender's inbox");
    }
    this.take({ message, asker, ask: read.value });
  }

  private take(each: Waiting): void {
    const context = this.options.context();
    if (context === null) return;
    if (each.ask.afterSeq > context.ledger.seq) {
      if (this.waiting.length < WAITING_MAX) this.waiting.push(each);
      return;
    }
    // An answer that cannot be given, for a log that cannot be read now, is none: the asker asks again.
    this.reply(each, context).catch((error: unknown) =>
      this.options.onVoid(`unanswered question: ${String(error)}`),
    );
  }

  private async reply({ message, asker, ask }: Waiting, context: QueryContext): Promise<void> {
    const told = await answer(ask.question, asker, context);
    if (this.options.nats.isClosed()) return;
    message.respond(
      encodeReply({ epoch: context.ledger.epoch, foldedSeq: context.ledger.seq, answer: told }),
    );
  }
}
