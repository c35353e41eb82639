/** Shows how far the stages are: a live bar for each in a terminal, else a line now and then. */
import cliProgress from "cli-progress";
import { countText } from "./quantity.ts";
import type { Stage } from "./stage.ts";

export type View = {
  /** Something has changed; what is shown is brought up to date in a moment. */
  readonly changed: () => void;
  /** A sentence beside it. */
  readonly say: (text: string) => void;
  readonly end: () => void;
};

export type Screen = NodeJS.WritableStream & { readonly isTTY?: boolean };

const CLEAR_BELOW = "\x1b[0J";
const WRAP_ON = "\x1b[?7h";
const WRAP_OFF = "\x1b[?7l";
const STEPS = 1_000;
const BAR_MS = 60;
const LINE_MS = 400;

export function viewOf(stages: readonly Stage[], screen: Screen): View {
  return screen.isTTY === true ? new Bars(stages, screen) : new Lines(stages, screen);
}

class Bars implements View {
  private readonly stages: readonly Stage[];
  private readonly multi: cliProgress.MultiBar;
  private readonly bars: readonly cliProgress.SingleBar[];
  private readonly timer: NodeJS.Timeout;

  constructor(stages: readonly Stage[], stream: NodeJS.WritableStream) {
    this.stages = stages;
    const format = "{name} {bar} {percentage} % {count}";
    this.multi = new cliProgress.MultiBar(
      // A sentence above the bars moves all of them down: they are drawn anew, also those that have not changed.
      {
        stream,
        format,
        barsize: 30,
        hideCursor: true,
        linewrap: false,
        gracefulExit: false,
        forceRedraw: true,
      },
      cliProgress.Presets.shades_classic,
    );
    const width = Math.max(...stages.map(({ name }) => name.length));
    this.bars = stages.map(({ name }) =>
      this.multi.create(STEPS, 0, { name: name.padEnd(width), count: "" }),
    );
    this.timer = setInterval(() => this.draw(), BAR_MS);
  }

  readonly changed = (): void => undefined;

  readonly say = (text: string): void => this.multi.log(`${CLEAR_BELOW}${WRAP_ON}${text}\n${WRAP_OFF}`);

  readonly end = (): void => {
    clearInterval(this.timer);
    this.draw();
    this.multi.update();
    this.multi.stop();
  };

  private draw(): void {
    for (const [index, stage] of this.stages.entries()) {
      this.bars[index]?.update(Math.round(stage.fraction * STEPS), { count: countsOf(stage) });
    }
  }
}

class Lines implements View {
  private readonly stages: readonly Stage[];
  private readonly stream: NodeJS.WritableStream;
  private readonly told = new Set<Stage>();
  private toldAtMs = performance.now();

  constructor(stages: readonly Stage[], stream: NodeJS.WritableStream) {
    this.stages = stages;
    this.stream = stream;
  }

  readonly changed = (): void => {
    for (const stage of this.stages) {
      if (!stage.isOver || this.told.has(stage)) continue;
      this.told.add(stage);
      this.say(`${stage.name}: ${countsOf(stage)}`);
    }
    if (performance.now() - this.toldAtMs < LINE_MS) return;
    const open = this.stages.filter((stage) => stage.total !== null && !stage.isOver && stage.fraction > 0);
    const parts = open.map(
      (stage) => `${stage.name} ${countsOf(stage)} (${Math.floor(stage.fraction * 100)} %)`,
    );
    if (parts.length > 0) this.say(parts.join(", "));
  };

  readonly say = (text: string): void => {
    this.toldAtMs = performance.now();
    this.stream.write(`${text}\n`);
  };

  readonly end = (): void => this.changed();
}

function countsOf({ succeeded, failed, total }: Stage): string {
  if (total === null) return "";
  const failures = failed === 0 ? "" : `, ${countText(failed)} failed`;
  return `${countText(succeeded)} of ${countText(total)}${failures}`;
}
