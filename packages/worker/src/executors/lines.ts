/** What a process writes, line by line; a line that is longer than people read is cut. */
import { StringDecoder } from "node:string_decoder";

export const LINE_LENGTH_MAX = 4_096;

export class LineReader {
  private readonly decoder = new StringDecoder("utf8");
  private readonly onLine: (line: string) => void;
  private begun = "";
  /** Of the line that has begun, the characters beyond its bound. */
  private cut = 0;

  constructor(onLine: (line: string) => void) {
    this.onLine = onLine;
  }

  read(chunk: Uint8Array): void {
    const parts = this.decoder.write(Buffer.from(chunk)).split("\n");
    for (const [i, part] of parts.entries()) {
      if (i > 0) this.emit();
      const room = LINE_LENGTH_MAX - this.begun.length;
      this.begun += part.slice(0, room);
      this.cut += Math.max(0, part.length - room);
    }
  }

  /** What was begun and not ended is a line too. */
  end(): void {
    if (this.begun !== "") this.emit();
  }

  private emit(): void {
    const line = this.begun.replace(/\r$/, "");
    this.onLine(this.cut === 0 ? line : `${line}… (${this.cut} characters more)`);
    this.begun = "";
    this.cut = 0;
  }
}

/** The last lines, as many as fit. */
export class LastLines {
  private readonly lengthMax: number;
  private lines: string[] = [];
  private length = 0;

  constructor(lengthMax: number) {
    this.lengthMax = lengthMax;
  }

  get text(): string {
    return this.lines.join("\n");
  }

  add(line: string): void {
    const kept = line.slice(0, this.lengthMax);
    this.lines.push(kept);
    this.length += kept.length + 1;
    while (this.length > this.lengthMax + 1) this.length -= (this.lines.shift()?.length ?? 0) + 1;
  }

  clear(): void {
    this.lines = [];
    this.length = 0;
  }
}
