/** The input of a task from the command line: JSON, or `-` for what comes through standard input. */
import { UsageError } from "@weft/protocol";

const STDIN = "-";
/** JSON is read as one text, and JavaScript has none that is twice as long. */
const STDIN_BYTES_MAX = 256 * 1024 ** 2;
const SHOWN_LENGTH_MAX = 80;

/** Undefined for no argument. Throws `UsageError` for what is no JSON. */
export async function taskInput(argument: string | undefined): Promise<unknown> {
  if (argument === undefined) return undefined;
  const text = argument === STDIN ? await readStdin() : argument;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const shown = text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
    const hint = /^[\p{L}_][\p{L}\p{N} _./:-]*$/u.test(text)
      ? `. A text needs its quotes: '${JSON.stringify(text)}'`
      : "";
    throw new UsageError(`the input is not JSON (${reason}): ${shown}${hint}`, { cause });
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > STDIN_BYTES_MAX)
      throw new UsageError(
        `the input is longer than ${STDIN_BYTES_MAX} bytes: pass a reference (a path, a URL, a key) instead`,
      );
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8");
}
