import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

const tailBytesMax = 64 * 1024;

/**
 * What a server wrote: its log file, and its standard error, which has what comes before the log is open (a
 * mistake in the configuration) and what bypasses it (a crash of the runtime). Only the tail of each is kept.
 */
export class ServerLog {
  readonly #path: string;
  #stderr = "";
  /** Where in the file the run that started last begins. */
  #runOffset = 0;
  #final: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** To be called before each start, so that a failed one is not explained with an earlier failure. */
  beginRun(): void {
    this.#stderr = "";
    this.#runOffset = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  addStderr(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-tailBytesMax);
  }

  tail(): string {
    return this.#final ?? `${readTail(this.#path, 0)}${this.#stderr}`;
  }

  tailOfRun(): string {
    return `${readTail(this.#path, this.#runOffset)}${this.#stderr}`;
  }

  /** Keeps the tail in memory; to be called before the file is removed. */
  close(): void {
    this.#final ??= this.tail();
  }
}

function readTail(path: string, offset: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(file);
    // The server starts its file anew when it has grown too large: what is left of it is then all of this run.
    const start = Math.max(size < offset ? 0 : offset, size - tailBytesMax);
    const buffer = Buffer.alloc(size - start);
    const byteCount = readSync(file, buffer, 0, buffer.length, start);
    return buffer.toString("utf8", 0, byteCount);
  } finally {
    closeSync(file);
  }
}
