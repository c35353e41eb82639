/** The last results that were kept: results.json, and RESULTS.md, which says the same to a person. */
import { readFile, writeFile } from "node:fs/promises";
import { NO_RIVALS } from "./order.ts";
import type { Report } from "./report.ts";
import { factsOf, tableOf } from "./table.ts";
import { workloads } from "./workloads.ts";

export type Results = Readonly<Record<string, Report>>;

const JSON_FILE = new URL("./results.json", import.meta.url);
const PAGE_FILE = new URL("./RESULTS.md", import.meta.url);

/** Empty before any were kept. */
export async function readResults(): Promise<Results> {
  try {
    return JSON.parse(await readFile(JSON_FILE, "utf8")) as Results;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw error;
  }
}

/** In place of what was kept of the same workload. */
export async function writeResults(report: Report): Promise<void> {
  const results = { ...(await readResults()), [report.name]: report };
  await writeFile(JSON_FILE, jsonOf(results));
  await writeFile(PAGE_FILE, pageOf(results));
}

/** A line for each figure, so that a change of one is a change of one line. */
export function jsonOf(results: Results): string {
  const text = JSON.stringify(results, null, 2);
  const figure = /\{\s+"median": (\S+),\s+"min": (\S+),\s+"max": (\S+)\s+\}/g;
  return `${text.replace(figure, '{ "median": $1, "min": $2, "max": $3 }')}\n`;
}

export function pageOf(results: Results): string {
  const kept = workloads.flatMap(({ name }) => results[name] ?? []);
  const head = `# Results

Written by \`npx -y pnpm@12 -s bench --write\`, and by nobody else. [README.md](README.md) says what is measured and what the names mean.
Medians of the rounds; \`min\` and \`max\` are the extremes of the rounds. \`weft ahead\` is how far Weft is ahead of that contender in the
first metric, pair by pair: above 1 it is ahead; in the rows of \`limit\` it is the share of the limit that Weft reaches.
`;
  return [head, ...kept.map(sectionOf)].join("\n");
}

function sectionOf(report: Report): string {
  const { head, rows } = tableOf(report);
  const { rounds, count } = report.settings;
  const lineOf = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    `## ${report.name}`,
    "",
    "```sh",
    `npx -y pnpm@12 -s bench ${report.name} --rounds ${rounds} --count ${count}${choiceOf(report)}`,
    "```",
    "",
    lineOf(head),
    lineOf(head.map((_name, column) => (column === 0 ? "---" : "---:"))),
    ...rows.map(lineOf),
    "",
    ...factsOf(report).map((fact) => `- ${fact}`),
    "",
  ].join("\n");
}

/** Where not all took part that can: who did. */
function choiceOf({ name, rivals }: Report): string {
  const all = workloads.find((workload) => workload.name === name)?.rivals ?? [];
  const chosen = all.filter((rival) => rivals[rival] !== undefined);
  if (chosen.length === all.length) return "";
  return ` --vs ${chosen.length === 0 ? NO_RIVALS : chosen.join(",")}`;
}
