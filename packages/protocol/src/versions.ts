/** The shape of records and messages that this code writes, and the newest that it reads. */
export const WIRE_VERSION = 1;
/** The rules by which this code folds a log. Rises only by a control record (docs/protocol.md). */
export const FOLD_VERSION = 1;
/** The oldest nats-server that Weft is sound on. */
export const NATS_VERSION_MIN = "2.12.0";
