/**
 * The inside of a thread or a process: runs one attempt at a time, with the same context as anywhere else. The next one may
 * be here already; it begins when that has ended, unless it was taken back.
 */
import { inspect } from "node:util";
import { DefectError } from "@weft/protocol";
import { ContextScope, type TaskOutlet } from "../context.ts";
import { type AttemptEnd, Cancellation, failedWith, runAttempt } from "../run-attempt.ts";
import { loadTaskFiles, TaskRegistry } from "../task-registry.ts";
import type { FromInside, InsideProgress, ToInside } from "./messages.ts";

type RunMessage = Extract<ToInside, { type: "run" }>;

/** Code that never yields can still report: what comes within this time waits for the next report or the end. */
const REPORT_INTERVAL_MS = 10;
/** A log line is for people; what is longer is cut. */
const LOG_TEXT_LENGTH_MAX = 16_384;

export class Inside {
  private readonly send: (message: FromInside) => void;
  private readonly takeAhead: (job: number) => boolean;
  private readonly loaded = new Map<string, Promise<TaskRegistry>>();
  private readonly scope = new ContextScope();
  private cancellation = new Cancellation();
  private running: RunMessage | null = null;
  private next: RunMessage | null = null;

  /**
   * @param send Throws for what it cannot carry.
   * @param takeAhead Whether a job that was given ahead may begin now: nobody has taken it back.
   */
  constructor(send: (message: FromInside) => void, takeAhead: (job: number) => boolean) {
    this.send = send;
    this.takeAhead = takeAhead;
  }

  receive(message: ToInside): void {
    if (message.type === "stop") {
      if (this.running?.job === message.job) this.cancellation.request(this.running.input, message.request);
      return;
    }
    if (this.running !== null) this.next = message;
    else this.begin(message);
  }

  private begin(message: RunMessage): void {
    if (message.isAhead && !this.takeAhead(message.job)) return;
    this.running = message;
    this.cancellation = new Cancellation();
    this.run(message).catch((error: unknown) => {
      // `run` never rejects; if it did, the end of the thread or process is the attempt's failure.
      throw error;
    });
  }

  /** Tells what nothing has caught. */
  uncaught(thrown: unknown): void {
    const { value, failure } = failedWith(thrown);
    if (this.running !== null && value !== null && failure !== null)
      this.send({ type: "uncaught", job: this.running.job, value, failure });
  }

  private async run({ job, moduleUrl, input }: RunMessage): Promise<void> {
    let pending: InsideProgress | null = null;
    let reportedAtMs = Number.NEGATIVE_INFINITY;
    const outlet: TaskOutlet = {
      progress: (fraction, message, data) => {
        pending = { fraction, message, data };
        const nowMs = performance.now();
        if (nowMs - reportedAtMs < REPORT_INTERVAL_MS) return;
        reportedAtMs = nowMs;
        this.send({ type: "progress", job, ...pending });
        pending = null;
      },
      log: (level, given, data) => {
        const message = clipped(String(given));
        try {
          this.send({ type: "log", job, level, message, data });
        } catch {
          // A log takes anything, a channel carries less: what it cannot carry is told in words.
          this.send({ type: "log", job, level, message, data: clipped(inspect(data)) });
        }
      },
    };
    const end = await this.attempt(moduleUrl, input, outlet);
    this.running = null;
    // First: once the next one has begun, the worker can count on it that this is on its way.
    this.send({ type: "ended", job, end, progress: pending });
    const { next } = this;
    this.next = null;
    if (next !== null) this.begin(next);
  }

  private async attempt(
    moduleUrl: string,
    input: RunMessage["input"],
    outlet: TaskOutlet,
  ): Promise<AttemptEnd> {
    try {
      const task = (await this.load(moduleUrl)).get(input.name);
      if (task === undefined) throw new DefectError(`${moduleUrl} has no task "${input.name}" where it runs`);
      const { scope, cancellation } = this;
      return await runAttempt(task.definition, input, { scope, outlet, cancellation });
    } catch (error) {
      return failedWith(error);
    }
  }

  private load(moduleUrl: string): Promise<TaskRegistry> {
    let registry = this.loaded.get(moduleUrl);
    if (registry === undefined) {
      registry = loadFile(moduleUrl);
      this.loaded.set(moduleUrl, registry);
    }
    return registry;
  }
}

async function loadFile(moduleUrl: string): Promise<TaskRegistry> {
  const registry = new TaskRegistry();
  await loadTaskFiles(registry, [moduleUrl]);
  return registry;
}

function clipped(text: string): string {
  return text.length <= LOG_TEXT_LENGTH_MAX ? text : `${text.slice(0, LOG_TEXT_LENGTH_MAX)}…`;
}
