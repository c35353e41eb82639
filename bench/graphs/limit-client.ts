/** The client process of the limit: appends the records of a graph, with a few on their way, and counts what comes back. */
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectBare, LOG_SUBMIT, TO_CLIENT } from "../latency/limit-wire.ts";
import { RECORD_BYTES_TARGET, WINDOW } from "../throughput/limit-wire.ts";
import type { GraphClientContract } from "./contract.ts";
import { type Graph, graphOf, levelsOf } from "./graph.ts";
import { DEPENDENCY_BYTES, submissionOf, TASK_BYTES, tasksIn } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "client");
const reply = "_I.limit.client.acks";
let onAck: () => void = () => undefined;
let onBack: (tasks: number) => void = () => undefined;

nats.subscribe(reply, {
  callback: (error) => {
    if (error === null) onAck();
  },
});
nats.subscribe(TO_CLIENT, {
  callback: (error, { data }) => {
    if (error === null) onBack(tasksIn(data));
  },
});

/** As full as Weft makes its own; each task has the bytes that those of the graph have on average. */
function* recordsOf(graph: Graph, levels: readonly number[]): Generator<Uint8Array> {
  const dependencies = graph.reduce((sum, each) => sum + each.length, 0);
  const bytesEach = Math.round(TASK_BYTES + (DEPENDENCY_BYTES * dependencies) / graph.length);
  const tasksMax = Math.floor(RECORD_BYTES_TARGET / bytesEach);
  for (let first = 0; first < graph.length; first += tasksMax) {
    const tasks = Math.min(tasksMax, graph.length - first);
    yield submissionOf({ tasks, bytesEach, levels: first === 0 ? levels : [] });
  }
}

const contract: GraphClientContract = {
  async run({ graph: name, count }) {
    const graph = graphOf(name, count);
    const records = recordsOf(graph, levelsOf(graph));
    const done = Promise.withResolvers<void>();
    let inFlight = 0;
    let back = 0;
    const send = (): void => {
      for (; inFlight < WINDOW; inFlight++) {
        const { value } = records.next();
        if (value === undefined) return;
        nats.publish(LOG_SUBMIT, value, { reply });
      }
    };
    onAck = () => {
      inFlight--;
      send();
    };
    onBack = (tasks) => {
      back += tasks;
      if (back === graph.length) done.resolve();
    };
    const beganMs = monotonicMs();
    send();
    await done.promise;
    const ms = monotonicMs() - beganMs;
    return { tasks: graph.length, ms };
  },
};
serve(contract, () => nats.close());
