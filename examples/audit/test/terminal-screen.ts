/** A terminal that remembers what is on its screen: as much of one as bars need. */
import { Writable } from "node:stream";

const ESCAPE = "\x1b[";
const CONTROL = /^(\??)(\d*)([A-Za-z])/;

export class TerminalScreen extends Writable {
  readonly isTTY = true;
  readonly columns: number;
  cursorIsVisible = true;
  wraps = true;
  private readonly rows: string[] = [];
  private row = 0;
  private column = 0;

  constructor(columns = 100) {
    super({ decodeStrings: false });
    this.columns = columns;
  }

  /** The lines on it, less empty ones and space at their ends. */
  get lines(): string[] {
    return this.rows.map((row) => row.trimEnd()).filter((row) => row !== "");
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    const [plain = "", ...controls] = text.split(ESCAPE);
    this.print(plain);
    for (const each of controls) {
      const [whole = "", isPrivate, count = "", final = ""] = CONTROL.exec(each) ?? [];
      if (isPrivate === "?") this.setMode(count, final === "h");
      else this.control(final, count === "" ? null : Number(count));
      this.print(each.slice(whole.length));
    }
    done();
  }

  private setMode(mode: string, isOn: boolean): void {
    if (mode === "25") this.cursorIsVisible = isOn;
    if (mode === "7") this.wraps = isOn;
  }

  private control(final: string, count: number | null): void {
    if (final === "A") this.row = Math.max(0, this.row - (count ?? 1));
    else if (final === "B") this.row += count ?? 1;
    else if (final === "G") this.column = (count ?? 1) - 1;
    else if (final === "K") this.rows[this.row] = count === 2 ? "" : this.before();
    else if (final === "J") this.rows.splice(this.row, Number.POSITIVE_INFINITY, this.before());
    else throw new Error(`this terminal does not know ${final}`);
  }

  private before(): string {
    return (this.rows[this.row] ?? "").slice(0, this.column);
  }

  private print(text: string): void {
    for (const character of text) {
      const isFull = this.column === this.columns && this.wraps;
      if (isFull || character === "\n") {
        this.row++;
        this.column = 0;
      }
      if (character === "\n") continue;
      const at = Math.min(this.column, this.columns - 1);
      const old = (this.rows[this.row] ?? "").padEnd(at);
      this.rows[this.row] = old.slice(0, at) + character + old.slice(at + 1);
      this.column = at + 1;
    }
  }
}
