/**
 * Texts that a ledger keeps. What a decoder hands out may be a part of the text of its whole record, and then a task name
 * would keep all of it in memory: whatever stays is copied. The ids of tasks are texts of their own from the start.
 */

const NAMES_MAX = 10_000;

/** For texts that are short: at most those of a reason. */
export function ownText<Text extends string | null>(text: Text): Text {
  if (text === null) return text;
  const codes = new Uint16Array(text.length);
  for (let i = 0; i < codes.length; i++) codes[i] = text.charCodeAt(i);
  return String.fromCharCode(...codes) as Text;
}

/** One text for each name, however often the log brings it. Nothing hangs on it: it is no part of the state. */
export class Names {
  private readonly known = new Map<string, string>();
  /** Most tasks of a record have the name of the one before. */
  private last = "";

  one<Name extends string>(name: Name): Name {
    if (name !== this.last) this.last = this.find(name);
    return this.last as Name;
  }

  private find(name: string): string {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    if (this.known.size >= NAMES_MAX) this.known.clear();
    const own = ownText(name);
    this.known.set(own, own);
    return own;
  }

  all<Name extends string>(names: readonly Name[]): readonly Name[] {
    return names.map((name) => this.one(name));
  }
}
