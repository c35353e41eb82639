/**
 * The coordinator process of the limit: of a graph it knows the levels alone, how many tasks each has. It makes assignments of
 * as many once the level before has come back, and outcomes of what is finished.
 */
import {
  type Assignment,
  decodeRecord,
  encodeClientMessage,
  encodeValue,
  encodeWorkerMessage,
  type Submission,
} from "@weft/protocol";
import { serve, serverOfRun } from "../child-service.ts";
import { followLog } from "../latency/limit-log.ts";
import { connectBare, LOG_SUBMIT, TO_CLIENT, TO_WORKER } from "../latency/limit-wire.ts";
import { assignmentOf, settledOf } from "../throughput/limit-wire.ts";
import { LEVELS } from "./limit-levels.ts";

/** As Weft puts into one message. */
const ASSIGNMENTS_MAX = 5_000;
const NO_RESULT = encodeValue(null, "a result");

const nats = await connectBare(serverOfRun(), "coordinator");
let number = 0;
let levels: readonly number[] = [];
let level = 0;
let come: Submission[] = [];
let given = 0;
let out = 0;

nats.subscribe(LEVELS, {
  callback: (error, message) => {
    if (error !== null) return;
    levels = message.json<number[]>();
    level = given = out = 0;
    come = [];
    message.respond();
  },
});

await followLog(nats, ({ subject, data }) => {
  const read = decodeRecord(subject === LOG_SUBMIT ? "submit" : "finish", data);
  if (!read.ok) throw new Error(`a record of the limit is void: ${read.kind}`);
  const record = read.value;
  if (record.type === "submit") come.push(...record.tasks);
  else if (record.type === "finish") {
    out -= record.finishes.length;
    const settled = record.finishes.map(settledOf);
    nats.publish(TO_CLIENT, encodeClientMessage({ epoch: 1, number: ++number, settled }));
  }
  const next = levels[level];
  if (out > 0 || next === undefined || come.length < given + next) return;
  level++;
  out = next;
  for (const end = given + next; given < end; given = Math.min(end, given + ASSIGNMENTS_MAX)) {
    const assignments = come.slice(given, Math.min(end, given + ASSIGNMENTS_MAX)).map(assigned);
    const message = { epoch: 1, number: ++number, assignments, cancels: [], aborts: [] };
    nats.publish(TO_WORKER, encodeWorkerMessage(message));
  }
});
serve({}, () => nats.close());

function assigned({ id, args, dependsOn }: Submission): Assignment {
  const assignment = assignmentOf(id, args);
  if (dependsOn.length === 0) return assignment;
  return { ...assignment, deps: { ids: dependsOn, values: dependsOn.map(() => NO_RESULT) } };
}
