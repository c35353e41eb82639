/** The NATS side that client, worker and coordinator share. */
export { type Ack, type AckError, NO_ROOM, readAck, WRONG_LAST_SEQUENCE } from "./ack.ts";
export { Appender, type AppenderOptions } from "./appender.ts";
export { type AnswerOf, type AskOptions, ask } from "./asker.ts";
export { AwakeTime, type AwakeTimeOptions } from "./awake.ts";
export { BlobReader } from "./blob-reader.ts";
export { type BlobSizes, BlobWriter } from "./blob-writer.ts";
export type { Bus, BusMessage, BusSubscription } from "./bus.ts";
export { type Clock, commonClock, pause, systemClock, type Timer, within } from "./clock.ts";
export {
  type Connection,
  type ConnectionOptions,
  closeConnection,
  connectForever,
  DEFAULT_SERVER,
  isAtLeast,
  openConnection,
  type SystemConnection,
  serversOf,
} from "./connection.ts";
export { type Entropy, systemEntropy } from "./entropy.ts";
export { HoldUp } from "./hold-up.ts";
export { apiCode } from "./jetstream.ts";
export { Outbox, type OutboxItem, type OutboxLimits, type OutboxRecord } from "./outbox.ts";
export { Pace, type PaceOptions } from "./pace.ts";
export type { FollowOptions, StoredMessage, Stream, StreamInfo } from "./stream.ts";
export { Turns } from "./turns.ts";
