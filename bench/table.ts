/** A report for a person to read. */
import type { Report } from "./report.ts";
import { type Figures, LIMIT, WEFT } from "./rounds.ts";

export type Table = { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** A row for each contender of each shape: the metric that counts with its extremes, then the medians of the others. */
export function tableOf(report: Report): Table {
  const { headline, weft, limit, rivals, ratio, share } = report;
  const others = metricsOf([weft, limit, ...Object.values(rivals)]).filter((metric) => metric !== headline);
  const contenders: readonly (readonly [string, Figures])[] = [
    [WEFT, weft],
    [LIMIT, limit],
    ...Object.entries(rivals),
  ];
  const shapes = [...new Set(contenders.flatMap(([, figures]) => Object.keys(figures)))];
  const rows = shapes.flatMap((shape) =>
    contenders.flatMap(([name, figures]) => {
      const metrics = figures[shape];
      if (metrics === undefined) return [];
      const counts = metrics[headline];
      const ahead = name === WEFT ? undefined : (name === LIMIT ? share : ratio[name])?.[shape]?.[headline];
      return [
        [
          `${shape} ${name}`,
          ...[counts?.median, counts?.min, counts?.max].map(cellOf),
          ...others.map((metric) => cellOf(metrics[metric]?.median)),
          ...[ahead?.median, ahead?.min, ahead?.max].map(cellOf),
        ],
      ];
    }),
  );
  const head = ["", headline, "min", "max", ...others, "weft ahead", "min", "max"];
  // Weft alone is ahead of nobody.
  const width = rows.some((row) => row.at(-1) !== "") ? head.length : head.length - 3;
  return { head: head.slice(0, width), rows: rows.map((row) => row.slice(0, width)) };
}

export function textOf(report: Report): string {
  const { head, rows } = tableOf(report);
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  return [report.name, "", lineOf(head), ...rows.map(lineOf), "", ...factsOf(report)].join("\n");
}

/** What the figures were taken with, a line each. */
export function factsOf({ machine, versions, settings, taken }: Report): string[] {
  return Object.entries({ settings, machine, versions: { ...versions, taken } }).map(
    ([name, fields]) =>
      `${name}: ${Object.entries(fields)
        .map(([key, value]) => `${key} ${value}`)
        .join(", ")}`,
  );
}

function metricsOf(all: readonly Figures[]): string[] {
  return [...new Set(all.flatMap((figures) => Object.values(figures).flatMap(Object.keys)))];
}

function cellOf(value: number | undefined): string {
  return value === undefined ? "" : String(value);
}
