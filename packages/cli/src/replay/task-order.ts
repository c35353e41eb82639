/** An order in which each task comes after those that it waits for. Pure, and without recursion: chains are long. */

export type Order =
  | { readonly type: "order"; readonly positions: readonly number[] }
  /** Each waits for the next one, and the last is the first again. */
  | { readonly type: "cycle"; readonly positions: readonly number[] };

export function inOrder(parents: readonly (readonly number[])[]): Order {
  const children = parents.map((): number[] => []);
  const missing = parents.map((each) => each.length);
  for (const [index, each] of parents.entries()) for (const parent of each) children[parent]?.push(index);
  const positions = [...missing.keys()].filter((index) => missing[index] === 0);
  // Grows while it is walked.
  for (const index of positions) {
    for (const child of children[index] ?? []) {
      const left = (missing[child] ?? 0) - 1;
      missing[child] = left;
      if (left === 0) positions.push(child);
    }
  }
  if (positions.length === parents.length) return { type: "order", positions };
  return { type: "cycle", positions: cycleOf(parents, missing) };
}

/** What is left has a parent that is left too: whoever follows these comes back to one that it has met. */
function cycleOf(parents: readonly (readonly number[])[], missing: readonly number[]): number[] {
  const isLeft = (index: number): boolean => (missing[index] ?? 0) > 0;
  const path: number[] = [];
  const metAt = new Map<number, number>();
  let at = missing.findIndex((count) => count > 0);
  while (!metAt.has(at)) {
    metAt.set(at, path.length);
    path.push(at);
    at = parents[at]?.find(isLeft) ?? at;
  }
  return [...path.slice(metAt.get(at)), at];
}
