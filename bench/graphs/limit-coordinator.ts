/** The coordinator process of the limit: gives out a level once the one before has come back. */
import { serve, serverOfRun } from "../child-service.ts";
import { followLog } from "../latency/limit-log.ts";
import { connectBare, LOG_SUBMIT, TO_CLIENT, TO_WORKER } from "../latency/limit-wire.ts";
import { RECORD_BYTES_TARGET } from "../throughput/limit-wire.ts";
import { messageOf, submissionIn, tasksIn } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "coordinator");
/** Of the graph that runs: tasks that have come, and been given out, and are out. */
let levels: readonly number[] = [];
let level = 0;
let bytesEach = 0;
let come = 0;
let given = 0;
let out = 0;

await followLog(nats, ({ subject, data }) => {
  if (subject === LOG_SUBMIT) {
    const submission = submissionIn(data);
    if (submission.levels.length > 0) {
      ({ levels, bytesEach } = submission);
      level = come = given = out = 0;
    }
    come += submission.tasks;
  } else {
    nats.publish(TO_CLIENT, data);
    out -= tasksIn(data);
  }
  const next = levels[level];
  if (out > 0 || next === undefined || come < given + next) return;
  level++;
  given += next;
  out = next;
  const tasksMax = Math.floor(RECORD_BYTES_TARGET / bytesEach);
  for (let left = next; left > 0; left -= tasksMax) {
    const tasks = Math.min(left, tasksMax);
    nats.publish(TO_WORKER, messageOf(tasks, tasks * bytesEach));
  }
});
serve({}, () => nats.close());
