/** What the bench asks of the process that submits a workflow. */
import type { Workflow } from "../../packages/cli/src/replay/workflow.ts";

export type ReplayClientContract = {
  /** From the first submission until every outcome is here, in milliseconds. */
  readonly run: (workflow: Workflow) => Promise<number>;
};
