/** The client process of the limit: appends the records of a graph, with a few on their way, and counts the outcomes that come back. */
import { decodeClientMessage, decodeValue, encodeRecord, encodeValue, type Submission } from "@weft/protocol";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectBare, LOG_SUBMIT, TO_CLIENT } from "../latency/limit-wire.ts";
import { INSTANCE, idOf, NAME, RECORD_BYTES_TARGET, TASK_BYTES, WINDOW } from "../throughput/limit-wire.ts";
import type { GraphClientContract } from "./contract.ts";
import { type Graph, graphOf, levelsOf } from "./graph.ts";
import { LEVELS } from "./limit-levels.ts";

const DEPENDENCY_BYTES = 24;

const nats = await connectBare(serverOfRun(), "client");
const reply = "_I.limit.client.acks";
let number = 0;
let onAck: () => void = () => undefined;
let onOutcomes: (data: Uint8Array) => void = () => undefined;

nats.subscribe(reply, {
  callback: (error) => {
    if (error === null) onAck();
  },
});
nats.subscribe(TO_CLIENT, {
  callback: (error, { data }) => {
    if (error === null) onOutcomes(data);
  },
});

/** As full as Weft makes its own. */
function* recordsOf(graph: Graph): Generator<Uint8Array> {
  let tasks: Submission[] = [];
  let bytes = 0;
  const record = (): Uint8Array =>
    encodeRecord({ type: "submit", instance: INSTANCE, number: ++number, tasks });
  for (const [index, dependencies] of graph.entries()) {
    const args = encodeValue(null, "an argument");
    tasks.push({ id: idOf(index), name: NAME, args, dependsOn: dependencies.map(idOf), options: null });
    bytes += TASK_BYTES + dependencies.length * DEPENDENCY_BYTES;
    if (bytes < RECORD_BYTES_TARGET) continue;
    yield record();
    tasks = [];
    bytes = 0;
  }
  if (tasks.length > 0) yield record();
}

const contract: GraphClientContract = {
  async run({ graph: name, count }) {
    const graph = graphOf(name, count);
    await nats.request(LEVELS, JSON.stringify(levelsOf(graph)));
    const records = recordsOf(graph);
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
    onOutcomes = (data) => {
      const read = decodeClientMessage(data);
      if (!read.ok) throw new Error(`an outcome of the limit cannot be read: ${read.kind}`);
      for (const { value } of read.value.settled) if (value !== null) decodeValue(value);
      back += read.value.settled.length;
      if (back === graph.length) done.resolve();
    };
    const beganMs = monotonicMs();
    send();
    await done.promise;
    return { tasks: graph.length, ms: monotonicMs() - beganMs };
  },
};
serve(contract, () => nats.close());
