/** The progress of one task: a bar in a terminal, else a line now and then. On standard error: the result goes to the other. */
import type { Progress } from "@weft/client";
import cliProgress from "cli-progress";
import { oneLine } from "./output.ts";

export type ProgressView = {
  readonly progress: (progress: Progress) => void;
  /** Why nothing happens, in a sentence. */
  readonly waiting: (because: string) => void;
  /** Takes the bar away, or writes the line that was held back. */
  readonly end: () => void;
};

export type ProgressTarget = NodeJS.WritableStream & { readonly isTTY?: boolean };

const STEPS = 1_000;
const LINE_INTERVAL_MS = 1_000;

export const NO_PROGRESS: ProgressView = {
  progress: () => undefined,
  waiting: () => undefined,
  end: () => undefined,
};

export function progressView(name: string, target: ProgressTarget = process.stderr): ProgressView {
  return target.isTTY === true ? progressBar(name, target) : progressLines(name, target);
}

function progressBar(name: string, stream: NodeJS.WritableStream): ProgressView {
  const bar = new cliProgress.SingleBar(
    {
      stream,
      format: `${name} {bar} {percentage} % {message}`,
      barsize: 30,
      clearOnComplete: true,
      hideCursor: true,
      linewrap: false,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(STEPS, 0, { message: "" });
  return {
    progress: ({ fraction, message }) =>
      bar.update(Math.round(fraction * STEPS), { message: oneLine(message ?? "") }),
    waiting: (because) => bar.update({ message: oneLine(because) }),
    end: () => bar.stop(),
  };
}

function progressLines(name: string, stream: NodeJS.WritableStream): ProgressView {
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  let held: Progress | null = null;
  const write = ({ fraction, message }: Progress): void => {
    held = null;
    writtenAtMs = performance.now();
    const text = message === undefined ? "" : ` ${oneLine(message)}`;
    stream.write(`${name} ${String(Math.round(fraction * 100)).padStart(3)} %${text}\n`);
  };
  return {
    progress: (progress) => {
      if (performance.now() - writtenAtMs >= LINE_INTERVAL_MS) write(progress);
      else held = progress;
    },
    waiting: (because) => void stream.write(`${name}: ${oneLine(because)}\n`),
    end: () => {
      if (held !== null) write(held);
    },
  };
}
