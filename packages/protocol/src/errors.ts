/**
 * Every error that Weft raises is a `WeftError` with a stable `code`, listed in docs/errors.md.
 *
 * Errors are for misuse and infrastructure. The failure of a user's task is data (failure.ts); it becomes an
 * error only where a client hands it to its user, as a `TaskFailedError` with the rebuilt error as its cause.
 */
export type WeftErrorOptions = { readonly cause?: unknown };

export class WeftError extends Error {
  readonly code: string;
  /** Whether doing the same again may succeed. */
  readonly retryable: boolean;

  constructor(
    code: string,
    message: string,
    options: WeftErrorOptions & { readonly retryable?: boolean } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }

  /** Tells by code, so that it also holds for an error of another copy of this package. */
  static is(error: unknown, code?: string): error is WeftError {
    if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
    return error.code.startsWith("weft_") && (code === undefined || error.code === code);
  }
}

/** A call that can never succeed as it stands; thrown before anything is sent. */
export class UsageError extends WeftError {
  constructor(message: string, options: WeftErrorOptions = {}, code = "weft_usage") {
    super(code, message, options);
  }
}

/** A value that cannot travel: a function, a symbol, a promise, a Map, or a reference to itself. */
export class EncodingError extends UsageError {
  constructor(message: string, options: WeftErrorOptions = {}) {
    super(message, options, "weft_encoding");
  }
}

/** A value above the limit of what one argument or result may be. */
export class PayloadTooLargeError extends UsageError {
  readonly bytes: number;
  readonly bytesMax: number;
  constructor(what: string, bytes: number, bytesMax: number) {
    super(
      `${what} takes ${bytes} bytes encoded, the limit is ${bytesMax}: pass a reference (a path, a URL, a key) instead`,
      {},
      "weft_payload_too_large",
    );
    this.bytes = bytes;
    this.bytesMax = bytesMax;
  }
}

/** A large value of which a chunk is missing, or that is not what was stored. It is never handed out in part. */
export class ValueDamagedError extends WeftError {
  constructor(what: string) {
    super("weft_value_damaged", `a large value cannot be read: ${what}. Submit the task that made it again`);
  }
}

/** Progress that is not a number from 0 to 1. */
export class InvalidProgressError extends UsageError {
  constructor(fraction: unknown) {
    super(`progress must be a number from 0 to 1, got ${describe(fraction)}`, {}, "weft_invalid_progress");
  }
}

function describe(value: unknown): string {
  return typeof value === "number" || typeof value === "bigint" ? String(value) : typeof value;
}

/** Two definitions of one task name. */
export class DuplicateTaskError extends UsageError {
  constructor(name: string, first: string, second: string) {
    super(
      `two tasks are named "${name}": one in ${first}, one in ${second}. Rename one of them`,
      {},
      "weft_duplicate_task",
    );
  }
}

/** A file of tasks that could not be loaded. */
export class TaskFileError extends UsageError {
  readonly file: string;
  constructor(file: string, message: string, options: WeftErrorOptions = {}) {
    super(message, options, "weft_task_file");
    this.file = file;
  }
}

/** An address without the user and password that may be in it: for messages and logs. */
export function withoutCredentials(server: string): string {
  return server.replace(/^([a-z]+:\/\/)?[^/]*@/, "$1");
}

/** No NATS server answered. */
export class UnreachableError extends WeftError {
  readonly servers: readonly string[];
  constructor(servers: readonly string[], triedMs: number, options: WeftErrorOptions = {}) {
    const why = options.cause instanceof Error ? ` (${options.cause.message})` : "";
    const told = servers.map(withoutCredentials);
    super(
      "weft_unreachable",
      `no NATS server answered at ${told.join(", ")} within ${(triedMs / 1000).toFixed(1)} s${why}: start one (\`weft dev\` brings its own), or name the right address with --url or WEFT_URL`,
      { ...options, retryable: true },
    );
    this.servers = told;
  }
}

/** A NATS server that is too old. */
export class UnsupportedServerError extends WeftError {
  constructor(name: string, version: string, versionMin: string) {
    super(
      "weft_unsupported_server",
      `nats-server ${version} (${name}) is too old: Weft needs ${versionMin} or newer`,
    );
  }
}

/** A NATS server that runs without JetStream. */
export class JetStreamDisabledError extends WeftError {
  constructor(server: string) {
    super(
      "weft_jetstream_disabled",
      `the NATS server at ${server} runs without JetStream: start it with -js (or a jetstream block in its configuration)`,
    );
  }
}

/** The namespace's log does not exist. */
export class NamespaceMissingError extends WeftError {
  constructor(namespace: string) {
    super(
      "weft_namespace_missing",
      `the namespace "${namespace}" has no log on this NATS server: run \`weft init --namespace ${namespace}\` once`,
    );
  }
}

/** The log was written by newer rules than this code knows. */
export class LogTooNewError extends WeftError {
  constructor(found: number, known: number) {
    super(
      "weft_log_too_new",
      `the log is folded by version ${found} and this coordinator knows up to ${known}: start a newer Weft; nothing was changed`,
    );
  }
}

/** This fold of the log has come to another state than the leader's: one of them is wrong. */
export class FoldDivergedError extends WeftError {
  constructor(seq: number) {
    super(
      "weft_fold_diverged",
      `this coordinator's fold of the log differs from the leader's at or before record ${seq}: it stops, and must not lead. This is a defect in Weft, or memory that fails; please report it`,
    );
  }
}

/** The log lacks records that this coordinator has not folded yet. */
export class LogGapError extends WeftError {
  readonly expected: number;
  constructor(expected: number, found: number) {
    super("weft_log_gap", `the log continues at record ${found} where record ${expected} was expected`);
    this.expected = expected;
  }
}

/** The log ends before the records that were folded, or has others in their place: it lost its tail. */
export class LogTailLostError extends WeftError {
  readonly seq: number;
  constructor(seq: number) {
    super(
      "weft_log_tail_lost",
      `record ${seq} was folded and the log does not have it any more: the stream lost its newest records`,
      { retryable: true },
    );
    this.seq = seq;
  }
}

/** Neither the log from its first record nor a checkpoint with the records behind it gives the state. */
export class LogTruncatedError extends WeftError {
  constructor(stream: string, why: string) {
    super(
      "weft_log_truncated",
      `the log ${stream} is not whole: ${why}. Restore the streams of the namespace from a backup, or look at what \`weft repair\` says`,
    );
  }
}

/** A checkpoint could not be written; the log is longer for it, and nothing else. */
export class CheckpointFailedError extends WeftError {
  constructor(why: string) {
    super("weft_checkpoint_failed", `a checkpoint was not written: ${why}`, { retryable: true });
  }
}

/** An append that was given up; whether the log has it is not known. */
export class AppendOutcomeUnknownError extends WeftError {
  constructor(message: string, options: WeftErrorOptions = {}) {
    super("weft_append_outcome_unknown", message, { ...options, retryable: true });
  }
}

/** The log does not take records for now; they are kept and sent again. */
export class AppendRefusedError extends WeftError {
  constructor(what: string, reason: string) {
    super("weft_append_refused", `the log does not take ${what} (${reason}); they are kept and sent again`, {
      retryable: true,
    });
  }
}

/** The log is nearly full: new tasks are kept, and are sent once there is room. */
export class AppendHeldError extends WeftError {
  constructor(what: string) {
    super("weft_append_held", `the log is nearly full: new ${what} are held back until there is room`, {
      retryable: true,
    });
  }
}

/** A call on something that was closed. */
export class ClosedError extends WeftError {
  constructor(what: string) {
    super("weft_closed", `${what} is closed`);
  }
}

/** More waits for the log than this process may keep in memory. */
export class TooManyPendingError extends WeftError {
  constructor(what: string, pendingMax: number) {
    super(
      "weft_too_many_pending",
      `${pendingMax} ${what} wait already: await some of them (\`handle.accepted\`) before making more`,
      { retryable: true },
    );
  }
}

/** No leading coordinator answered a question in time. */
export class NoLeaderError extends WeftError {
  constructor(namespace: string, triedMs: number) {
    super(
      "weft_no_leader",
      `no leading coordinator of namespace "${namespace}" answered within ${(triedMs / 1000).toFixed(1)} s: start one with \`weft coordinator\``,
      { retryable: true },
    );
  }
}

/** A coordinator refused a question. */
export class AskRefusedError extends WeftError {
  constructor(message: string) {
    super("weft_ask_refused", message);
  }
}

/** Bytes that are not what the wire contract says. */
export class MalformedError extends WeftError {
  constructor(message: string) {
    super("weft_malformed", message);
  }
}

/** Weft itself is wrong: an invariant does not hold. */
export class DefectError extends WeftError {
  constructor(message: string, options: WeftErrorOptions = {}) {
    super("weft_defect", `${message}. This is a defect in Weft, please report it`, options);
  }
}

/** Marks a switch as exhaustive for the compiler and fails loudly if it was not. */
export function assertNever(value: never): never {
  throw new DefectError(`unexpected variant ${JSON.stringify(value)}`);
}
