/** What the contenders did in the rounds of a workload, and how they compare. */
import { type Figure, figureOf } from "./figures.ts";

/** What one contender did in one round, by metric: `perSecond`, or a time or an amount, of which less is better. */
export type Sample = Readonly<Record<string, number>>;

/** A workload is measured in one or several shapes. */
export type Shapes<T> = Readonly<Record<string, T>>;
export type Figures = Shapes<Readonly<Record<string, Figure>>>;

export const WEFT = "weft";
/** The floor of the machine: the same work with no logic of ours. */
export const LIMIT = "limit";

export type Comparison = {
  readonly weft: Figures;
  readonly rivals: Readonly<Record<string, Figures>>;
  readonly limit: Figures;
  /** By rival: above 1 Weft is ahead. Pair by pair, as both ran next to each other in each round. */
  readonly ratio: Readonly<Record<string, Figures>>;
  /** Of the limit that Weft reaches, from 0 to 1; pair by pair. */
  readonly share: Figures;
};

const MORE_IS_BETTER: ReadonlySet<string> = new Set(["perSecond"]);

/** How far `ours` is ahead of `theirs`: 1 if both are equal. */
export function aheadBy(metric: string, ours: number, theirs: number): number {
  return MORE_IS_BETTER.has(metric) ? ours / theirs : theirs / ours;
}

type Columns = Map<string, Map<string, number[]>>;

export class Rounds {
  /** By contender, shape and metric, the values in the order of the rounds. */
  private readonly contenders = new Map<string, Columns>();

  add(contender: string, samples: Shapes<Sample>): void {
    const columns = at(this.contenders, contender, (): Columns => new Map());
    for (const [shape, sample] of Object.entries(samples)) {
      const ofShape = at(columns, shape, () => new Map<string, number[]>());
      for (const [metric, value] of Object.entries(sample)) at(ofShape, metric, () => []).push(value);
    }
  }

  compare(): Comparison {
    const names = [...this.contenders.keys()].filter((name) => name !== WEFT && name !== LIMIT);
    return {
      weft: this.figuresOf(WEFT),
      rivals: Object.fromEntries(names.map((name) => [name, this.figuresOf(name)])),
      limit: this.figuresOf(LIMIT),
      ratio: Object.fromEntries(names.map((name) => [name, this.weftAgainst(name)])),
      share: this.weftAgainst(LIMIT),
    };
  }

  private figuresOf(contender: string): Figures {
    return mapped(this.contenders.get(contender) ?? new Map(), (_shape, _metric, values) => values);
  }

  private weftAgainst(contender: string): Figures {
    const theirs = this.contenders.get(contender);
    return mapped(this.contenders.get(WEFT) ?? new Map(), (shape, metric, values) => {
      const others = theirs?.get(shape)?.get(metric) ?? [];
      return others.map((other, round) => aheadBy(metric, values[round] ?? Number.NaN, other));
    });
  }
}

/** Figures of what there are numbers of. */
function mapped(
  columns: Columns,
  valuesOf: (shape: string, metric: string, values: readonly number[]) => readonly number[],
): Figures {
  const figures: Record<string, Record<string, Figure>> = {};
  for (const [shape, metrics] of columns) {
    for (const [metric, ours] of metrics) {
      const values = valuesOf(shape, metric, ours);
      if (values.length === 0 || !values.every(Number.isFinite)) continue;
      figures[shape] ??= {};
      figures[shape][metric] = figureOf(values);
    }
  }
  return figures;
}

function at<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
