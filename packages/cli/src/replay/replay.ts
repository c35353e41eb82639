/** Runs a workflow on a cluster: its tasks as a graph, each taking the time that was recorded. */
import { availableParallelism } from "node:os";
import type { Client, Settlement, TaskHandle } from "@weft/client";
import { InstanceId } from "@weft/protocol";
import { Worker } from "@weft/worker";
import { replaySleep, replaySpin } from "./tasks.ts";
import type { Workflow } from "./workflow.ts";

const TASK_FILE = new URL(`./tasks${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

/** Sleeping costs nothing, so all tasks that may run do; with more a worker's announcements would become large. */
const SLEEP_SLOTS_MAX = 4_000;

/** Slots of a replay's own worker where nobody says how many. */
export function slotsFor({ tasks }: Workflow, spin: boolean): number {
  return spin ? availableParallelism() : Math.min(SLEEP_SLOTS_MAX, tasks.length);
}

export type ReplayWorkerOptions = {
  readonly servers: string | readonly string[];
  readonly namespace: string;
  readonly connectTimeoutMs: number;
  readonly slots: number;
  readonly log: (line: string) => void;
};

export type ReplayWorker = {
  /** Tasks with this label go to it, and no others: replays do not meet. */
  readonly label: string;
  readonly stop: () => Promise<void>;
};

export async function startReplayWorker(options: ReplayWorkerOptions): Promise<ReplayWorker> {
  const label = `replay-${InstanceId.create()}`;
  const worker = await Worker.start({ ...options, files: [TASK_FILE.href], labels: [label] });
  return { label, stop: () => worker.stop() };
}

export type Graph = {
  readonly workflow: Workflow;
  /** Whether tasks compute instead of waiting. */
  readonly spin: boolean;
  /** Null where any worker that has the tasks may run them. */
  readonly label: string | null;
};

/** The handles are in the workflow's order. */
function submitGraph(
  client: Pick<Client, "submit">,
  { workflow, spin, label }: Graph,
): readonly TaskHandle[] {
  const { name } = spin ? replaySpin : replaySleep;
  const labels = label === null ? {} : { labels: [label] };
  const handles: TaskHandle[] = [];
  for (const { runMs, parents } of workflow.tasks) {
    const dependsOn = parents.flatMap((parent) => handles[parent] ?? []);
    // The last ones wait for as long as the workflow takes.
    handles.push(client.submit(name, runMs, { dependsOn, dependencyTimeout: "off", ...labels }));
  }
  return handles;
}

export type Replayed = {
  readonly makespanMs: number;
  /** How the first task ended that did not succeed, in the workflow's order: others failed with it. */
  readonly failure: { readonly position: number; readonly settlement: Settlement<unknown> } | null;
};

/** Submits the graph and resolves when all of it has ended. */
export async function replay(
  client: Pick<Client, "submit">,
  graph: Graph,
  watch: {
    readonly submitted: (handles: readonly TaskHandle[]) => void;
    readonly settled: (count: number) => void;
  },
): Promise<Replayed> {
  const beganMs = performance.now();
  const handles = submitGraph(client, graph);
  watch.submitted(handles);
  let count = 0;
  const settlements = await Promise.all(
    handles.map(async (handle) => {
      const settlement = await handle.settled();
      watch.settled(++count);
      return settlement;
    }),
  );
  const makespanMs = performance.now() - beganMs;
  const position = settlements.findIndex(({ error }) => error !== undefined);
  const settlement = settlements[position];
  return { makespanMs, failure: settlement === undefined ? null : { position, settlement } };
}
