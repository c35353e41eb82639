/** Results that are kept. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { orderOf } from "../../bench/order.ts";
import type { Report } from "../../bench/report.ts";
import { jsonOf, pageOf, readResults } from "../../bench/results.ts";
import { repository } from "../docs/pages.ts";
import { reportOf } from "./report-example.ts";

const report = reportOf({
  weft: { perSecond: 50_000, p50: 3 },
  limit: { perSecond: 100_000 },
  bullmq: { perSecond: 5_000, p50: 6 },
});

test("the page has a row for each contender, the settings, the machine and the command that repeats it", () => {
  const page = pageOf({ throughput: report });
  expect(page).toContain("| single weft | 50000 | 50000 | 50000 | 3 |  |  |  |");
  expect(page).toContain("| single limit | 100000 | 100000 | 100000 |  | 0.5 | 0.5 | 0.5 |");
  expect(page).toContain("| single bullmq | 5000 | 5000 | 5000 | 6 | 10 | 10 | 10 |");
  expect(page).toContain("bench throughput --rounds 5 --count 50000 --vs bullmq\n");
  expect(page).toContain("- machine: cpu a cpu, cores 2, memory_mb 1024, os an os");
  expect(page).toContain("- versions: weft 0.1.0, taken 2026-01-02");
});

test("the command names the rivals only where they were chosen, and says so where none were", () => {
  const samples = { weft: { perSecond: 2 }, bullmq: { perSecond: 1 } };
  const all = { ...samples, "graphile-worker": { perSecond: 1 }, "pg-boss": { perSecond: 1 } };
  const commandOf = (report: Report): string =>
    /npx .* --rounds .*/.exec(pageOf({ throughput: report }))?.[0] ?? "";
  expect(commandOf(reportOf(all))).toMatch(/ --count 50000$/);
  expect(commandOf(reportOf(samples))).toMatch(/ --vs bullmq$/);
  expect(commandOf(reportOf({ weft: { perSecond: 2 } }))).toMatch(/ --vs none$/);
  expect(orderOf(commandOf(reportOf(samples)).split(" ").slice(5))?.rivals).toEqual(["bullmq"]);
});

test("the file has a line for each figure, and is read as it was written", () => {
  const text = jsonOf({ throughput: report });
  expect(text).toContain('"p50": { "median": 3, "min": 3, "max": 3 }');
  expect(JSON.parse(text)).toEqual({ throughput: report });
});

test("the page that is kept says what the file that is kept says: nobody wrote it by hand", async () => {
  const results = await readResults();
  if (Object.keys(results).length === 0) return;
  expect(readFileSync(join(repository, "bench/RESULTS.md"), "utf8")).toBe(pageOf(results));
  expect(readFileSync(join(repository, "bench/results.json"), "utf8")).toBe(jsonOf(results));
});
