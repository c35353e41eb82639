/**
 * What a command prints. Standard output carries the answer and nothing else, as text for people or as JSON; what is said
 * about it on the way goes to standard error.
 */
import { toJson } from "./json-value.ts";

export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** The answer: `value` with --json, else the lines. */
  answer(value: unknown, lines: readonly string[]): void {
    if (this.json) this.jsonLine(value);
    else for (const line of lines) this.line(line);
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  jsonLine(value: unknown): void {
    this.line(toJson(value));
  }

  /** A remark for a person; with --json there is none. */
  note(text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`);
  }

  /** A line of the log of a process that runs in the foreground. */
  readonly log = (text: string): void => {
    const at = new Date().toISOString();
    process.stderr.write(this.json ? `${toJson({ at, message: text })}\n` : `${at} ${printable(text)}\n`);
  };
}

/** Text of others, without what would control the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** The same in one line. */
export function oneLine(text: string): string {
  return printable(text.replace(/[\t\r\n]+/g, " "));
}
