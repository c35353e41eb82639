import { Dice } from "@weft/testing/simulation";
import { expect, test } from "vitest";
import { Calm } from "./calm.ts";
import { Measures } from "./measures.ts";
import { faultNames, planOf, type Step } from "./plan.ts";

function firstNames(seed: number, count: number, only: readonly string[] | null = null): readonly string[] {
  const plan = planOf(new Dice(seed), { only, apart: false });
  return Array.from({ length: count }, () => plan.next().value.fault.name);
}

test("one seed gives one plan, and another gives another", () => {
  expect(firstNames(7, 100)).toEqual(firstNames(7, 100));
  expect(firstNames(8, 100)).not.toEqual(firstNames(7, 100));
});

test("every kind of fault comes once before any comes twice", () => {
  const names = faultNames();
  expect(firstNames(1, names.length).toSorted()).toEqual(names.toSorted());
});

test("a plan of some kinds has no others", () => {
  expect(new Set(firstNames(1, 50, ["kill_node", "link_cut"]))).toEqual(new Set(["kill_node", "link_cut"]));
});

test("faults that are to come apart wait for each other, and are otherwise the same", () => {
  const steps = (apart: boolean): readonly Step[] => {
    const plan = planOf(new Dice(3), { only: null, apart });
    return Array.from({ length: 50 }, () => plan.next().value);
  };
  expect(steps(false).every(({ waits }) => waits)).toBe(false);
  expect(steps(true)).toEqual(steps(false).map((step) => ({ ...step, waits: true })));
});

test("a figure is one of a single fault only where nothing else was broken meanwhile", async () => {
  const calm = new Calm();
  const measures = new Measures(() => undefined);
  const during = async (title: string, other: () => Promise<void>): Promise<void> => {
    const isCalm = calm.watch();
    await calm.during(title, async () => {
      await other();
      await measures.take("failover", isCalm, Promise.resolve());
    });
  };
  await during("a", async () => undefined);
  await during("a", () => calm.during("b", async () => undefined));
  await calm.during("b", () => during("a", async () => undefined));
  await during("a", async () => undefined);
  expect(measures.spreads()).toMatchObject({
    failover_ms: { count: 2 },
    failover_amid_faults_ms: { count: 2 },
    cancel_cpu_ms: null,
  });
  expect(measures.count("failover")).toBe(4);
});

test("who is broken is not struck again", async () => {
  const calm = new Calm();
  const parties = [{ title: "a" }, { title: "b" }];
  await calm.during("a", async () => expect(calm.sound(parties)).toEqual([{ title: "b" }]));
  expect(calm.sound(parties)).toEqual(parties);
});
