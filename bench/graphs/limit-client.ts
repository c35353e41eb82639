/** The client process of the limit: appends the records of a graph, with a few on their way, and counts the outcomes that come back. */
import { decodeValue, encodeValue, type Submission } from "@weft/protocol";
import { serve } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { LimitClientLink } from "../throughput/limit-client-link.ts";
import { idOf, NAME, RECORD_BYTES_TARGET, TASK_BYTES } from "../throughput/limit-wire.ts";
import type { GraphClientContract } from "./contract.ts";
import { type Graph, graphOf, levelsOf } from "./graph.ts";
import { LEVELS } from "./limit-levels.ts";

const DEPENDENCY_BYTES = 24;

const link = await LimitClientLink.open();

/** As full as Weft makes its own. */
function* recordsOf(graph: Graph): Generator<readonly Submission[]> {
  let tasks: Submission[] = [];
  let bytes = 0;
  for (const [index, dependencies] of graph.entries()) {
    const args = encodeValue(null, "an argument");
    tasks.push({ id: idOf(index), name: NAME, args, dependsOn: dependencies.map(idOf), options: null });
    bytes += TASK_BYTES + dependencies.length * DEPENDENCY_BYTES;
    if (bytes < RECORD_BYTES_TARGET) continue;
    yield tasks;
    tasks = [];
    bytes = 0;
  }
  if (tasks.length > 0) yield tasks;
}

const contract: GraphClientContract = {
  async run({ graph: name, count }) {
    const graph = graphOf(name, count);
    await link.nats.request(LEVELS, JSON.stringify(levelsOf(graph)));
    const records = recordsOf(graph);
    const done = Promise.withResolvers<void>();
    let back = 0;
    const send = (): void => {
      while (link.hasRoom) {
        const { value } = records.next();
        if (value === undefined) return;
        link.append(value);
      }
    };
    link.onRoom = send;
    link.onSettled = (settled) => {
      for (const { value } of settled) if (value !== null) decodeValue(value);
      back += settled.length;
      if (back === graph.length) done.resolve();
    };
    const beganMs = monotonicMs();
    send();
    await done.promise;
    return { tasks: graph.length, ms: monotonicMs() - beganMs };
  },
};
serve(contract, () => link.nats.close());
