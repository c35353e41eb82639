import { expect, test } from "vitest";
import { VoidCounter } from "../src/shell/void-counter.ts";

test("what is void is counted by kind, and each kind is logged once", () => {
  const lines: string[] = [];
  const counter = new VoidCounter((line) => lines.push(line));
  for (const kind of ["repeat", "another epoch", "repeat", "repeat"]) counter.count(kind);
  expect(counter.all()).toEqual({ repeat: 3, "another epoch": 1 });
  expect(lines).toEqual([
    "void: repeat (further ones are counted, not logged)",
    "void: another epoch (further ones are counted, not logged)",
  ]);
});

test("a sender that makes up kinds fills neither memory nor log", () => {
  const lines: string[] = [];
  const counter = new VoidCounter((line) => lines.push(line));
  for (let i = 0; i < 10_000; i++) counter.count(`kind ${i}`);
  expect(Object.keys(counter.all()).length).toBe(201);
  expect(counter.all()["other kinds"]).toBe(9_800);
  expect(lines.length).toBe(201);
});
