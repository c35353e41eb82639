/** Reading recorded workflows: both shapes of the format, and everything that may be wrong with a file. */
import { describe, expect, test } from "vitest";
import { boundsOf, endlessTask, scaled } from "../src/replay/workflow.ts";
import { readWorkflow } from "../src/replay/workflow-file.ts";

type Spec = {
  readonly id: string;
  readonly parents?: readonly string[];
  readonly children?: readonly string[];
};

function twoLists(tasks: readonly Spec[], seconds: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    name: "small",
    schemaVersion: "1.5",
    workflow: {
      specification: {
        tasks: tasks.map(({ id, parents = [], children = [] }) => ({
          name: `run ${id}`,
          id,
          parents,
          children,
        })),
      },
      execution: {
        tasks: Object.entries(seconds).map(([id, runtimeInSeconds]) => ({ id, runtimeInSeconds })),
      },
    },
  });
}

/** Of 1.4, where tasks refer to each other by name, whatever their id. */
function oneList(tasks: readonly unknown[]): string {
  return JSON.stringify({ name: "small", schemaVersion: "1.4", workflow: { makespanInSeconds: 1, tasks } });
}

const read = (text: string): ReturnType<typeof readWorkflow> => readWorkflow(text, "small.json");

describe("a workflow", () => {
  test("has its tasks behind those that they wait for, whichever of the two tells it", () => {
    const text = twoLists(
      [{ id: "last", parents: ["middle"] }, { id: "middle" }, { id: "first", children: ["middle", "last"] }],
      { first: 1, middle: 0.25, last: 0, another: 5 },
    );
    expect(read(text)).toEqual({
      name: "small",
      tasks: [
        { id: "first", name: "run first", runMs: 1_000, parents: [] },
        { id: "middle", name: "run middle", runMs: 250, parents: [0] },
        { id: "last", name: "run last", runMs: 0, parents: [1, 0] },
      ],
    });
  });

  test("of 1.4 refers to tasks by name", () => {
    const text = oneList([
      { name: "a", id: "ID1", runtimeInSeconds: 2, parents: [] },
      { name: "b", id: "ID2", runtimeInSeconds: 1, parents: ["a"], children: [] },
    ]);
    expect(read(text).tasks.map(({ id, parents }) => ({ id, parents }))).toEqual([
      { id: "a", parents: [] },
      { id: "b", parents: [0] },
    ]);
  });

  test("may be a chain of 100,000", () => {
    const ids = Array.from({ length: 100_000 }, (_, index) => `t${index}`);
    const tasks = ids.map((id, index) => ({ id, parents: index === 0 ? [] : [`t${index - 1}`] }));
    const seconds = Object.fromEntries(ids.map((id) => [id, 1]));
    expect(boundsOf(read(twoLists(tasks.toReversed(), seconds)), null).criticalPathMs).toBe(100_000_000);
  });
});

describe("a file is refused, with the place and what is wrong there:", () => {
  test.each([
    ["{", "no JSON"],
    ["[]", "the file must be an object"],
    [JSON.stringify({ name: "x" }), "schemaVersion is missing"],
    [JSON.stringify({ name: "x", schemaVersion: "1.3" }), 'schemaVersion is "1.3"'],
    [JSON.stringify({ schemaVersion: "1.5", workflow: {} }), "the file needs a text as its name"],
    [JSON.stringify({ name: "x", schemaVersion: "1.5" }), "workflow is missing"],
    [JSON.stringify({ name: "x", schemaVersion: "1.5", workflow: {} }), "workflow.tasks must be a list"],
    [
      JSON.stringify({ name: "x", schemaVersion: "1.5", workflow: { specification: { tasks: [] } } }),
      "workflow.execution is missing",
    ],
    [twoLists([], {}), "the workflow has no tasks"],
    [twoLists([{ id: "a" }], {}), "workflow.specification.tasks[0] (a) has no run time"],
    [twoLists([{ id: "a" }], { a: -1 }), "workflow.execution.tasks[0] needs a finite number of at least 0"],
    [twoLists([{ id: "a" }], { a: "1" }), "workflow.execution.tasks[0] needs a finite number of at least 0"],
    [twoLists([{ id: "a" }], { a: 0.5 }).replace("0.5", "1e999"), "needs a finite number of at least 0"],
    [twoLists([{ id: "a" }], { a: 0.5 }).replace("0.5", "-1e999"), "needs a finite number of at least 0"],
    [twoLists([{ id: "a" }, { id: "a" }], { a: 1 }), "workflow.specification.tasks[1] has the id of another"],
    [twoLists([{ id: "a", parents: ["b"] }], { a: 1 }), "(a) has a parent that is no task of this file, b"],
    [twoLists([{ id: "a", children: ["b"] }], { a: 1 }), "(a) has a child that is no task of this file, b"],
    [twoLists([{ id: "a", parents: ["a"] }], { a: 1 }), "in a circle: a -> a"],
    [
      twoLists(
        [
          { id: "z" },
          { id: "x", parents: ["a"] },
          { id: "a", parents: ["b"] },
          { id: "b", parents: ["a", "z"] },
        ],
        {
          a: 1,
          b: 1,
          x: 1,
          z: 1,
        },
      ),
      "in a circle: a -> b -> a",
    ],
    [oneList([{ name: "a", parents: [] }]), "workflow.tasks[0] needs a finite number of at least 0"],
    [oneList([{ name: "a", runtimeInSeconds: 1 }]), "workflow.tasks[0] needs a list of texts as its parents"],
    [oneList([7]), "workflow.tasks[0] must be an object"],
  ])("%s", (text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: "weft_workflow_file",
        file: "small.json",
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe("the bounds of a workflow", () => {
  const workflow = read(
    twoLists(
      [
        { id: "first", children: ["short", "long"] },
        { id: "short", children: ["last"] },
        { id: "long", children: ["last"] },
        { id: "last" },
        { id: "alone" },
      ],
      { first: 1, short: 1, long: 3, last: 0.5, alone: 2 },
    ),
  );

  test("are its longest chain where there are slots enough, else its work divided by them", () => {
    expect(boundsOf(workflow, 5)).toEqual({ workMs: 7_500, criticalPathMs: 4_500, boundMs: 4_500 });
    expect(boundsOf(workflow, 1).boundMs).toBe(7_500);
    expect(boundsOf(workflow, null).boundMs).toBe(4_500);
  });

  test("shrink with the time scale, in whole milliseconds", () => {
    expect(boundsOf(scaled(workflow, 300), 5)).toEqual({ workMs: 25, criticalPathMs: 15, boundMs: 15 });
  });
});

test("a task that no timer waits for is found, unless the time scale makes it short enough", () => {
  const workflow = read(twoLists([{ id: "a" }, { id: "b" }, { id: "c" }], { a: 1, b: 1e300, c: 3e6 }));
  expect(endlessTask(scaled(workflow, 1))?.id).toBe("b");
  expect(endlessTask(scaled(workflow, 1e300))).toBeUndefined();
  expect(endlessTask(scaled(read(oneList([oneTask(3e6)])), 1))?.id).toBe("a");
  expect(endlessTask(scaled(read(oneList([oneTask(2_073_600)])), 1))).toBeUndefined();
});

function oneTask(runtimeInSeconds: number): object {
  return { name: "a", parents: [], runtimeInSeconds };
}
