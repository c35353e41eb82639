/** The NATS side that client, worker and coordinator share. */
export { type Ack, type AckError, readAck, WRONG_LAST_SEQUENCE } from "./ack.ts";
export { Appender, type AppenderOptions } from "./appender.ts";
export { type AnswerOf, type AskOptions, ask } from "./asker.ts";
export {
  type Connection,
  type ConnectionOptions,
  closeConnection,
  connectForever,
  DEFAULT_SERVER,
  isAtLeast,
  openConnection,
  serversOf,
} from "./connection.ts";
export { Outbox, type OutboxItem, type OutboxLimits, type OutboxRecord } from "./outbox.ts";
