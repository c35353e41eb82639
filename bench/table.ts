/** Figures for a person to read. */
import type { Table } from "./workload.ts";

export function textOf(title: string, { head, rows }: Table, notes: readonly string[]): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  return [title, "", lineOf(head), ...rows.map(lineOf), "", ...notes].join("\n");
}
