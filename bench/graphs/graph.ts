/**
 * Graphs of no-op tasks: for each task the positions of those that it waits for, all before its own. Pure; the same graph
 * for the same size in every run.
 */

export type Graph = readonly (readonly number[])[];

export const GRAPHS = ["fan", "chain", "diamond", "trees", "random"] as const;
export type GraphName = (typeof GRAPHS)[number];

/** Tasks of each graph, of those of the largest: 10,000 in a fan, 1,000 in a chain, 100,000 at random. */
const SHARES: Readonly<Record<GraphName, number>> = {
  fan: 0.1,
  chain: 0.01,
  diamond: 0.1,
  trees: 0.1,
  random: 1,
};

const TASKS_MIN = 4;
const TREE_BRANCHES = 2;
const TREE_TASKS = 127;
const RANDOM_DEPENDENCIES = 3;
const SEED = 20_240_229;

export function graphOf(name: GraphName, count: number): Graph {
  return MAKERS[name](Math.max(TASKS_MIN, Math.round(count * SHARES[name])));
}

const MAKERS: Readonly<Record<GraphName, (tasks: number) => Graph>> = {
  /** One, then all the others at once, then one that waits for all of these. */
  fan: (tasks) => {
    const middle = Array.from({ length: tasks }, (_, index) => index + 1);
    return [[], ...middle.map(() => [0]), middle];
  },
  chain: (tasks) => Array.from({ length: tasks }, (_, index) => (index === 0 ? [] : [index - 1])),
  /** A square lattice: each waits for the one above and the one to the left. */
  diamond: (tasks) => {
    const width = Math.ceil(Math.sqrt(tasks));
    return Array.from({ length: width * width }, (_, index) => {
      const above = index >= width ? [index - width] : [];
      return index % width === 0 ? above : [...above, index - 1];
    });
  },
  /** Many at once, each task of which has two that wait for it, down to the leaves. */
  trees: (tasks) =>
    Array.from({ length: Math.ceil(tasks / TREE_TASKS) * TREE_TASKS }, (_, index) => {
      const within = index % TREE_TASKS;
      return within === 0 ? [] : [index - within + Math.floor((within - 1) / TREE_BRANCHES)];
    }),
  /** Each waits for three of those before it. */
  random: (tasks) => {
    const draw = drawer(SEED);
    return Array.from({ length: tasks }, (_, index) => {
      const drawn = new Set<number>();
      while (drawn.size < Math.min(RANDOM_DEPENDENCIES, index)) drawn.add(Math.floor(draw() * index));
      return [...drawn];
    });
  },
};

/** How many tasks come at once, one after the other: the tasks whose longest way back to a first one is as long. */
export function levelsOf(graph: Graph): readonly number[] {
  const level = new Int32Array(graph.length);
  const counts: number[] = [];
  for (const [index, dependencies] of graph.entries()) {
    let own = 0;
    for (const each of dependencies) own = Math.max(own, (level[each] ?? 0) + 1);
    level[index] = own;
    counts[own] = (counts[own] ?? 0) + 1;
  }
  return counts;
}

/** Numbers from 0 to 1, by the generator that is known as mulberry32. */
function drawer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
