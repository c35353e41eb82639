/** The flags of a worker, which `weft dev` has too and hands on. */
import { CREDITS_MAX } from "@weft/protocol";
import type { Command } from "commander";
import { parseDurationMs, parseList, parseWhole } from "./quantity.ts";

export type WorkerFlags = {
  readonly slots?: number;
  readonly prefetch?: number;
  readonly labels?: readonly string[];
  readonly cancelGrace?: number;
};

export function addWorkerFlags(command: Command): Command {
  return command
    .option("--slots <N>", "tasks that run at once (default: the number of cores)", (text) =>
      parseWhole(text, "--slots", { least: 1, most: CREDITS_MAX }),
    )
    .option(
      "--prefetch <N>",
      "tasks held ready beyond those that run (default: as many as end in 50 ms)",
      (text) => parseWhole(text, "--prefetch", { least: 0, most: CREDITS_MAX }),
    )
    .option(
      "--labels <A,B,…>",
      "what this worker offers, such as gpu; a task with labels runs only where all of them are",
      parseList,
    )
    .option(
      "--cancel-grace <DURATION>",
      "how long cancelled code may take to stop before its thread is ended (default: 5s)",
      (text) => parseDurationMs(text, "--cancel-grace"),
    );
}

/** The same on a command line again. */
export function workerArgs({ slots, prefetch, labels, cancelGrace }: WorkerFlags): readonly string[] {
  return [
    ...(slots === undefined ? [] : ["--slots", String(slots)]),
    ...(prefetch === undefined ? [] : ["--prefetch", String(prefetch)]),
    ...(labels === undefined ? [] : ["--labels", labels.join(",")]),
    ...(cancelGrace === undefined ? [] : ["--cancel-grace", `${cancelGrace}ms`]),
  ];
}
