/** Task names by number, each kept while something refers to it. */
import type { TaskName } from "@weft/protocol";
import { loadRows, saveRows } from "../codec/rows.ts";
import { refuse, type StateReader } from "../codec/state-reader.ts";
import type { StateWriter } from "../codec/state-writer.ts";

export class NameTable {
  private readonly numbers = new Map<TaskName, number>();
  private readonly names: (TaskName | null)[] = [];
  private readonly uses: number[] = [];
  private readonly free: number[] = [];

  get size(): number {
    return this.numbers.size;
  }

  /** The name's number, with one use more. */
  take(name: TaskName): number {
    const known = this.numbers.get(name);
    if (known !== undefined) {
      this.uses[known] = (this.uses[known] ?? 0) + 1;
      return known;
    }
    const number = this.free.pop() ?? this.names.length;
    this.names[number] = name;
    this.uses[number] = 1;
    this.numbers.set(name, number);
    return number;
  }

  name(number: number): TaskName {
    return this.names[number] ?? ("" as TaskName);
  }

  drop(number: number): void {
    const uses = (this.uses[number] ?? 0) - 1;
    this.uses[number] = uses;
    if (uses > 0) return;
    this.numbers.delete(this.name(number));
    this.names[number] = null;
    this.free.push(number);
  }

  *save(to: StateWriter): Generator<void> {
    yield* saveRows(to, this.names, this.names.length, (name) => to.wordOrNull(name));
    yield* saveRows(to, this.free, this.free.length, (number) => to.count(number));
  }

  /** The uses are counted by whoever uses them (`use`). */
  *load(from: StateReader): Generator<void> {
    yield* loadRows(from, (number) => {
      const name = from.wordOrNull() as TaskName | null;
      this.names.push(name);
      this.uses.push(0);
      if (name !== null) this.numbers.set(name, number);
    });
    yield* loadRows(from, () => void this.free.push(from.count()));
    if (this.numbers.size + this.free.length !== this.names.length) refuse("a task name is lost");
  }

  /** Counts a use that was read from a checkpoint. */
  use(number: number): void {
    if (this.names[number] == null) refuse("a task name is not known");
    this.uses[number] = (this.uses[number] ?? 0) + 1;
  }
}
