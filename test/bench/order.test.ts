/** The command line of the bench. */
import { describe, expect, test } from "vitest";
import { help, orderOf } from "../../bench/order.ts";
import { RIVALS } from "../../bench/rivals/rivals.ts";
import { soak } from "../../bench/soak/soak.ts";
import { workloads } from "../../bench/workloads.ts";
import { textOf } from "../docs/pages.ts";

const readme = textOf("bench/README.md");

test("runs everything against everybody by default, but what takes an hour", () => {
  const chosen = workloads.filter((workload) => workload !== soak);
  expect(orderOf([])).toMatchObject({ chosen, rivals: RIVALS, rounds: 5, count: null });
  expect(orderOf(["soak"])?.chosen).toEqual([soak]);
});

test("takes rivals one by one, several at once, or none", () => {
  expect(orderOf(["--vs", "bullmq"])?.rivals).toEqual(["bullmq"]);
  expect(orderOf(["--vs", "none"])?.rivals).toEqual([]);
  expect(() => orderOf(["--vs", "none,bullmq"])).toThrow("there is no rival");
});

test("refuses what it does not know", () => {
  expect(() => orderOf(["nothing"])).toThrow("there is no workload");
  expect(() => orderOf(["--rounds", "0"])).toThrow("--rounds must be a whole number");
});

describe("bench/README.md", () => {
  test.each(workloads)("describes the workload $name", ({ name }) => {
    expect(readme).toMatch(new RegExp(`^## ${name}$`, "m"));
  });

  test("describes every rival", () => {
    for (const rival of RIVALS) expect(readme).toContain(`\`${rival}\``);
  });

  test("names every option", () => {
    for (const [option] of help.matchAll(/--[a-z]+/g)) expect(readme).toContain(option);
  });
});
