/** The graphs of the bench. */
import { describe, expect, test } from "vitest";
import { GRAPHS, graphOf, levelsOf } from "../../bench/graphs/graph.ts";

describe.each(GRAPHS)("%s", (name) => {
  test("has tasks that wait only for those before them, the same in every run", () => {
    const graph = graphOf(name, 2_000);
    for (const [index, dependencies] of graph.entries()) {
      expect(new Set(dependencies).size).toBe(dependencies.length);
      expect(dependencies.every((each) => each >= 0 && each < index)).toBe(true);
    }
    expect(graphOf(name, 2_000)).toEqual(graph);
  });
});

test("the graphs have the sizes that they promise", () => {
  const sizes = Object.fromEntries(GRAPHS.map((name) => [name, graphOf(name, 100_000).length]));
  expect(sizes).toEqual({ fan: 10_002, chain: 1_000, diamond: 10_000, trees: 10_033, random: 100_000 });
});

test("levels are the tasks that may run at once, one after the other", () => {
  expect(levelsOf(graphOf("fan", 50))).toEqual([1, 5, 1]);
  expect(levelsOf(graphOf("chain", 500))).toEqual([1, 1, 1, 1, 1]);
  expect(levelsOf(graphOf("diamond", 90))).toEqual([1, 2, 3, 2, 1]);
  expect(levelsOf(graphOf("trees", 10))).toEqual([1, 2, 4, 8, 16, 32, 64]);
  expect(levelsOf(graphOf("random", 1_000)).reduce((sum, tasks) => sum + tasks, 0)).toBe(1_000);
});
