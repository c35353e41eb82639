/** What keeps a live task, as facts for a person: from the ledger what it waits for, from the scheduler who could run it. */
import { assertNever, durationText, type Fact, momentText, type TaskId } from "@weft/protocol";
import { type Ledger, type LiveTask, NOT_BEGUN } from "../core/ledger/index.ts";
import { canRun, freeCredits, runsAlone, type Scheduler, type WorkerEntry } from "../core/scheduler/index.ts";

const NAMED_MAX = 3;

/** What keeps one task, the most important first. */
export function factsOf(task: LiveTask, ledger: Ledger, scheduler: Scheduler): Fact[] {
  const { id, name } = task;
  const facts: Fact[] = [];
  const tell = (type: Fact["type"], text: string): void => void facts.push({ id, name, type, text });
  switch (task.state) {
    case "waiting":
      tell("dependencies", waiting(task, ledger));
      if (task.waitDueMs !== null)
        tell("time_limit", `if they take longer, it times out${inTime(task, ledger)}`);
      break;
    case "backing_off":
      tell(
        "backing_off",
        `try ${task.tries} ended with ${lastEnd(task)}; the next is due${inTime(task, ledger)}`,
      );
      break;
    case "released":
      released(task, scheduler, tell);
      if (task.waitDueMs !== null && !scheduler.isBegun(id))
        tell("time_limit", `if nobody begins it, it times out${inTime(task, ledger)}`);
      break;
    case "cancelling":
      cancelling(task, scheduler, tell);
      break;
    default:
      assertNever(task.state);
  }
  if (task.terms.deadlineMs !== null)
    tell("time_limit", `its deadline is ${momentText(task.terms.deadlineMs)}`);
  if (task.losses.length > 0) {
    const told = task.losses.map(({ worker, atMs }) => `${worker} at ${momentText(atMs)}`);
    tell("workers_lost", `workers were lost while they had it: ${told.join(", ")}`);
  }
  return facts;
}

type Tell = (type: Fact["type"], text: string) => void;

/** Dependencies that have not succeeded. */
export function missingOf(task: LiveTask, ledger: Ledger): TaskId[] {
  if (task.state !== "waiting") return [];
  return task.dependencies.filter((id) => ledger.settled.get(id)?.outcome !== "succeeded");
}

function waiting(task: LiveTask, ledger: Ledger): string {
  const missing = missingOf(task, ledger);
  const named = missing.slice(0, NAMED_MAX).map((id) => {
    const dependency = ledger.live.get(id);
    return dependency === undefined
      ? `${id} (nobody has submitted it yet)`
      : `${dependency.name} ${id} (${dependency.state})`;
  });
  const more = missing.length > NAMED_MAX ? ` and ${missing.length - NAMED_MAX} more` : "";
  return `it waits for ${missing.length} of ${task.dependencies.length} dependencies: ${named.join(", ")}${more}`;
}

function lastEnd(task: LiveTask): string {
  return task.lastError ?? "the loss of its worker";
}

function inTime({ waitDueMs }: LiveTask, ledger: Ledger): string {
  if (waitDueMs === null || waitDueMs === NOT_BEGUN) return " soon";
  const leftMs = waitDueMs - ledger.clock.nowMs;
  return leftMs <= 0 ? " now" : ` in ${durationText(leftMs)}, at ${momentText(waitDueMs)}`;
}

function cancelling(task: LiveTask, scheduler: Scheduler, tell: Tell): void {
  const { cancel } = task;
  const why = cancel === null || cancel.reason === null ? "" : ` (${cancel.reason})`;
  const since = cancel === null ? "" : ` since ${momentText(cancel.atMs)}`;
  const worker = scheduler.workerOf(task.id);
  if (worker === null)
    return tell("cancelling", `it is being cancelled${since}${why}; no worker is known to hold it`);
  tell("cancelling", `it is being cancelled${since}${why}; worker ${worker.id} has been told`);
  if (worker.isBlocked) tell("worker_blocked", blocked(worker));
}

function released(task: LiveTask, scheduler: Scheduler, tell: Tell): void {
  const holder = scheduler.workerOf(task.id);
  if (holder !== null) return held(task, holder, { isBegun: scheduler.isBegun(task.id) }, tell);
  if (scheduler.isHeldBack(task.id))
    return tell("held_back", "the leader is new and asks the workers first whether one of them has it");
  const workers = [...scheduler.workers.values()];
  const named = workers.filter((each) => each.names.has(task.name));
  if (named.length === 0)
    return tell(
      "no_worker",
      `no live worker has the task "${task.name}" (${countOf(workers.length, "worker")} live)`,
    );
  const able = named.filter((each) => canRun(each, task.name, task.terms.labels));
  if (able.length === 0)
    return tell(
      "no_worker",
      `no live worker with the task "${task.name}" has the labels ${task.terms.labels.join(", ")}`,
    );
  const busy = able.filter((each) => freeCredits(each) === 0);
  if (runsAlone(task))
    tell(
      "runs_alone",
      `it waits for a worker of its own: ${task.losses.length} workers were lost with it already`,
    );
  else if (
    busy.length < able.length &&
    able.every((each) => freeCredits(each) === 0 || each.keptFor !== null)
  )
    tell("workers_busy", "the workers that have room are kept for tasks that run alone");
  else if (busy.length < able.length) return tell("dispatching", "it is about to be dispatched");
  else
    tell(
      "workers_busy",
      able.length === 1
        ? "the one worker that can run it is busy"
        : `all ${able.length} workers that can run it are busy`,
    );
  for (const worker of able.slice(0, NAMED_MAX))
    tell(worker.isBlocked ? "worker_blocked" : "workers_busy", work(worker));
}

function held(
  task: LiveTask,
  worker: WorkerEntry,
  { isBegun }: { readonly isBegun: boolean },
  tell: Tell,
): void {
  const what = isBegun ? "runs it" : "has it, behind others";
  tell(
    isBegun ? "running" : "queued",
    `worker ${worker.id} on ${worker.presence.host} ${what} (attempt ${task.attempt})`,
  );
  if (worker.isBlocked) tell("worker_blocked", blocked(worker));
  else if (!isBegun) tell("workers_busy", work(worker));
}

function work(worker: WorkerEntry): string {
  if (worker.isBlocked) return blocked(worker);
  const { state, slots, credits } = worker.presence;
  if (state !== "ready") return `worker ${worker.id} is ${state}`;
  const ids = [...worker.out].map(({ task }) => task.id);
  const more = ids.length > NAMED_MAX ? ` and ${ids.length - NAMED_MAX} more` : "";
  const holds = ids.length === 0 ? "nothing" : `${ids.slice(0, NAMED_MAX).join(", ")}${more}`;
  return `worker ${worker.id} (${countOf(slots, "slot")}, takes ${credits}) has ${holds}`;
}

function blocked(worker: WorkerEntry): string {
  return `worker ${worker.id} is blocked: code that it runs does not let go of its event loop`;
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
