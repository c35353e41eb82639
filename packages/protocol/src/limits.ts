/** Every bound of the wire contract, in one place. Units are the last word of each name. */

/** A packed record stops growing here; what does not fit goes into the next one. */
export const RECORD_BYTES_TARGET: number = 256 * 1024;
/** Largest encoded argument or result: whoever makes or reads one holds it whole, some of the time twice. */
export const VALUE_BYTES_MAX: number = 512 * 1024 * 1024;
/** A value above this is stored beside the log, and a reference travels in its place. */
export const INLINE_VALUE_BYTES_MAX: number = 64 * 1024;
/** Bytes of one chunk of a stored value: a few of them on their way are little to hold. */
export const BLOB_CHUNK_BYTES: number = 256 * 1024;
/** Chunks of one stored value. */
export const BLOB_CHUNKS_MAX = 1_000_000;
/** Bytes of large values that one process has made and not stored yet. */
export const UNSTORED_BYTES_MAX: number = 1024 * 1024 * 1024;
/** Largest encoded failure of a task; it always travels in the record. */
export const FAILURE_BYTES_MAX: number = 512 * 1024;
/** Dependency values that travel inside one assignment; the worker pages the rest. */
export const INLINE_DEPS_BYTES_MAX: number = 256 * 1024;
/** Tasks, results or cancels in one record. */
export const RECORD_ITEMS_MAX = 10_000;
/**
 * Numbers of one sender's records that are on their way at once lie within so many: the fold remembers no more of them, and
 * takes one that is further behind for a repeat.
 */
export const RECORD_SPAN_MAX = 64;
/** Dependencies of one task. */
export const DEPENDENCIES_MAX = 25_000;
/** Nesting of a record or message, counted in containers. */
export const RECORD_DEPTH_MAX = 16;
/** Nesting of a user's value, far below the depth at which a decoder overflows its stack. */
export const VALUE_DEPTH_MAX = 512;
/** Containers and scalars in one record or message. */
export const RECORD_NODES_MAX = 2_000_000;
/** Task names, labels, identities, namespaces. */
export const TOKEN_LENGTH_MAX = 64;
/** Labels of one task or worker. */
export const LABELS_MAX = 32;
/** Characters of a cancel reason or progress message. */
export const TEXT_LENGTH_MAX = 1_000;
/** Causes that are sent with a failure before the chain is cut. */
export const CAUSES_MAX = 16;
/** Ids in one question to a coordinator. */
export const ASK_IDS_MAX = 5_000;
/** Rows in one listing. */
export const LIST_ROWS_MAX = 1_000;
/** Bytes of one reply or message that a coordinator packs for a client or worker. */
export const MESSAGE_BYTES_TARGET: number = 512 * 1024;
/** Worker names announced by one worker. */
export const TASK_NAMES_MAX = 1_000;
/** Credits that one worker may offer: its presence names all attempts held, in one message. */
export const CREDITS_MAX = 20_000;
/** A time-out, or a wait between tries, in milliseconds: 24 days, the longest that a timer takes. */
export const DURATION_MAX_MS = 2_073_600_000;
/** Tries of one task under a retry policy. */
export const RETRY_ATTEMPTS_MAX = 10_000;
/** Factor from one wait between tries to the next. */
export const RETRY_COEFFICIENT_MAX = 100;
/** Names of errors that a retry policy excludes. */
export const RETRY_NAMES_MAX = 64;
/** Workers that are lost with one task before it is given up. */
export const WORKER_LOSSES_MAX = 5;
