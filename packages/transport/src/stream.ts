/**
 * One JetStream stream, as shells see it: what is asked of it besides appending, which is a plain publish. Everything here
 * goes to the leader of the stream, so it is never stale.
 */

export type StreamInfo = {
  /** 0 where the stream is empty and never held anything. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly metadata: Readonly<Record<string, string>>;
};

export type StoredMessage = {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly stampMs: number;
};

export type FollowOptions = {
  /** The subject that messages are delivered to, with flow control, heartbeats and no acknowledgements. */
  readonly deliverTo: string;
  /** A consumer that starts below the first message of a stream silently starts at the first. */
  readonly fromSeq: number;
  readonly heartbeatMs: number;
};

export type Stream = {
  readonly name: string;
  info(): Promise<StreamInfo>;
  /** Null where the stream holds none at this sequence. */
  message(seq: number): Promise<StoredMessage | null>;
  /** The newest message on a subject; null where there is none. */
  lastMessage(subject: string): Promise<StoredMessage | null>;
  /** The subjects that a pattern matches and that hold messages, in any order. */
  subjects(pattern: string): Promise<readonly string[]>;
  /** Makes a consumer for one reader, which goes away with it. Answers how many messages it has to deliver now. */
  follow(options: FollowOptions): Promise<number>;
  /** Removes all messages below a sequence, or all on a subject. */
  purge(what: { readonly belowSeq: number } | { readonly subject: string }): Promise<void>;
  /** Changes what is named, and leaves the rest. */
  configure(change: {
    readonly bytesMax?: number;
    readonly metadata?: Readonly<Record<string, string>>;
  }): Promise<void>;
};
