/** Task names by number, each kept while something refers to it. */
import type { TaskName } from "@weft/protocol";

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
}
