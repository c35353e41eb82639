/**
 * Who listens to events. The first line for a subject is published with a reply subject: where nobody listens, the server
 * answers that at once, and the other lines need not be written down. What is heard after the last answer is told apart by
 * a message to this process itself, which the server delivers behind the answers.
 */
import { inboxPrefix } from "@weft/protocol";
import type { BusMessage, BusSubscription, Connection, Timer } from "@weft/transport";

/** The answers were lost with the connection: then everything is published. */
const ANSWER_MAX_MS = 1_000;
const LAST = "last";
/** The status of the server's answer. */
const NO_RESPONDERS = 503;

type Round = {
  readonly number: number;
  readonly subjects: readonly string[];
  readonly unheard: Set<string>;
  readonly timer: Timer;
  readonly onAnswered: (unheard: ReadonlySet<string>) => void;
};

export class EventAudience {
  private readonly connection: Connection;
  private readonly replyPrefix: string;
  private subscription: BusSubscription | null = null;
  private round: Round | null = null;
  private rounds = 0;

  constructor(connection: Connection) {
    this.connection = connection;
    this.replyPrefix = `${inboxPrefix(connection.sender)}.${connection.entropy.token(16)}.`;
  }

  /** Whether answers are awaited. */
  get isAsking(): boolean {
    return this.round !== null;
  }

  /** Publishes a line per subject, and tells then which subjects nobody listens to. */
  ask(lines: ReadonlyMap<string, string>, onAnswered: (unheard: ReadonlySet<string>) => void): void {
    const { nats, clock } = this.connection;
    this.subscription ??= nats.subscribe(`${this.replyPrefix}*.*`, {
      callback: (error, message) => {
        if (error === null) this.onMessage(message);
      },
    });
    const number = ++this.rounds;
    const timer = clock.after(ANSWER_MAX_MS, () => this.answered());
    this.round = { number, subjects: [...lines.keys()], unheard: new Set(), timer, onAnswered };
    let index = 0;
    for (const [subject, line] of lines) {
      nats.publish(subject, line, { reply: `${this.replyPrefix}${number}.${index++}` });
    }
    nats.publish(`${this.replyPrefix}${number}.${LAST}`);
  }

  close(): void {
    this.round?.timer.cancel();
    this.round = null;
    this.subscription?.unsubscribe();
    this.subscription = null;
  }

  private onMessage({ subject, headers }: BusMessage): void {
    const [number, index] = subject.slice(this.replyPrefix.length).split(".");
    const { round } = this;
    if (round === null || Number(number) !== round.number) return;
    if (index === LAST) return this.answered();
    const unheard = round.subjects[Number(index)];
    // Whoever listens may answer too, for reasons of its own.
    if (unheard !== undefined && headers?.code === NO_RESPONDERS) round.unheard.add(unheard);
  }

  private answered(): void {
    const { round } = this;
    this.round = null;
    round?.timer.cancel();
    round?.onAnswered(round.unheard);
  }
}
