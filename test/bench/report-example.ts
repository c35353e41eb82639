/** A report as a workload gives one. */
import type { Report } from "../../bench/report.ts";
import { Rounds, type Sample } from "../../bench/rounds.ts";

export function reportOf(
  samples: { readonly weft: Sample } & Readonly<Record<string, Sample>>,
  headline = "perSecond",
): Report {
  const rounds = new Rounds();
  for (const [name, sample] of Object.entries(samples)) rounds.add(name, { single: sample });
  return {
    name: "throughput",
    headline,
    taken: "2026-01-02",
    machine: { cpu: "a cpu", cores: 2, memory_mb: 1_024, os: "an os" },
    versions: { weft: "0.1.0" },
    settings: { rounds: 5, count: 50_000 },
    ...rounds.compare(),
  };
}
