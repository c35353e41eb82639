/** Which code another attempt may wait behind. */
import { expect, test } from "vitest";
import { endsSoon } from "../src/core/ahead.ts";

test.each([
  { lastMs: 10, runsForMs: 3, soon: true },
  { lastMs: 50, runsForMs: 50, soon: true },
  { lastMs: null, runsForMs: 3, soon: false },
  { lastMs: 51, runsForMs: 3, soon: false },
  { lastMs: 10, runsForMs: 51, soon: false },
])("code that runs for $runsForMs ms where the last took $lastMs ms ends soon: $soon (H1)", (given) => {
  expect(endsSoon(given)).toBe(given.soon);
});
