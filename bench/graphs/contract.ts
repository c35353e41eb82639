/** What the bench asks of the client process of a contender. */
import type { GraphName } from "./graph.ts";

type GraphOrder = { readonly graph: GraphName; readonly count: number };

type GraphRun = {
  readonly tasks: number;
  /** From the first call until the client knows of every outcome. */
  readonly ms: number;
};

export type GraphClientContract = { readonly run: (order: GraphOrder) => Promise<GraphRun> };
