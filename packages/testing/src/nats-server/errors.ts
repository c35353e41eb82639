import type { NatsServerVersion } from "./version.ts";
import { formatVersion, natsServerVersionMin } from "./version.ts";

/** What can go wrong with finding, fetching or running a nats-server. `code` is stable. */
export class NatsServerError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A file that is no working nats-server. */
export class NatsServerUnusableError extends NatsServerError {
  readonly path: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super("weft_nats_server_unusable", `${path} cannot be used as nats-server: ${reason}`, options);
    this.path = path;
  }
}

/** A nats-server below the oldest version that Weft works with. */
export class NatsServerTooOldError extends NatsServerError {
  readonly path: string;
  readonly version: string;

  constructor(path: string, version: NatsServerVersion) {
    const text = formatVersion(version);
    super(
      "weft_nats_server_too_old",
      `nats-server ${text} at ${path} is too old: Weft needs ${natsServerVersionMin} or newer`,
    );
    this.path = path;
    this.version = text;
  }
}

/** The ways to a nats-server, in the order in which they are tried. */
export type NatsServerWay = "environment" | "path" | "cache" | "download" | "package_manager" | "docker";

export type NatsServerAttempt = { readonly way: NatsServerWay; readonly reason: string };

const wayNames: Readonly<Record<NatsServerWay, string>> = {
  environment: "WEFT_NATS_SERVER",
  path: "PATH",
  cache: "cache",
  download: "download",
  package_manager: "package manager",
  docker: "Docker",
};

/** Every way to a nats-server failed; `attempts` says why, in the order of trying. */
export class NatsServerNotFoundError extends NatsServerError {
  readonly attempts: readonly NatsServerAttempt[];

  constructor(attempts: readonly NatsServerAttempt[]) {
    const lines = attempts.map(({ way, reason }) => `  ${wayNames[way]}: ${reason}`);
    super(
      "weft_nats_server_not_found",
      [
        `no nats-server ${natsServerVersionMin} or newer was found and none could be fetched:`,
        ...lines,
        "Install one, or set WEFT_NATS_SERVER to the path of one.",
      ].join("\n"),
    );
    this.attempts = attempts;
  }
}

/** The server ended, or did not get ready in time. `log` is the tail of what it wrote. */
export class NatsServerStartError extends NatsServerError {
  readonly binary: string;
  readonly log: string;

  constructor(binary: string, reason: string, log: string, options?: ErrorOptions) {
    const tail = log.trim();
    super(
      "weft_nats_server_start",
      `${binary} did not start: ${reason}${tail === "" ? "" : `. Its log ends with:\n${tail}`}`,
      options,
    );
    this.binary = binary;
    this.log = log;
  }
}

/** A call on a server that was stopped for good. */
export class NatsServerStoppedError extends NatsServerError {
  constructor(call: string) {
    super("weft_nats_server_stopped", `${call}: this nats-server was stopped; start another one`);
  }
}

/** One line for people: the messages of an error and of its causes, without repeating any. */
export function reasonOf(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  // Causes may form a cycle; nobody reads more than a few.
  for (let depth = 0; current !== undefined && depth < 5; depth += 1) {
    const text = current instanceof Error ? current.message || codeOf(current) : String(current);
    if (text !== "" && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ");
}

/** A refused connection is an AggregateError without a message; its code says it all. */
function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
