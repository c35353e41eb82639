/**
 * `pnpm demo`: audits everything that is installed here on a real cluster, and shows how it goes.
 *
 * Read src/tasks.ts for what the workers run, src/run-audit.ts for how the tasks are submitted and joined, src/stage.ts for
 * the callbacks that count them, and src/cluster.ts for the processes.
 */
import { type Client, connect } from "@weft/client";
import { type DemoCluster, startCluster } from "./src/cluster.ts";
import { type DemoOptions, demoOptionsOf, HELP } from "./src/options.ts";
import { countOf } from "./src/quantity.ts";
import { AuditRun } from "./src/run-audit.ts";
import { type View, viewOf } from "./src/view.ts";

const FAILURES_TOLD_MAX = 20;
const CLOSE_MS = 500;
const EXIT = { failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

async function demo(options: DemoOptions): Promise<number> {
  const startedMs = performance.now();
  const interrupted = interruption();
  const cluster = await Promise.race([startCluster(say), interrupted]);
  // What has started by then ends with this process.
  if (typeof cluster === "number") process.exit(cluster);
  let weft: Client | null = null;
  try {
    const { server, coordinator, workers, broken } = cluster;
    const pids = workers.map(({ pid }) => pid).join(", ");
    say(`nats-server ${server.version} at ${server.url}, coordinator ${coordinator.pid}, workers ${pids}`);
    say(`look inside with: npx -y pnpm@12 weft events --url ${server.url}`);
    weft = await connect({ servers: server.url });
    const failed = broken.then((error) => Promise.reject(error));
    return await Promise.race([audit(weft, cluster, options, startedMs), interrupted, failed]);
  } finally {
    // What is not in the log yet, because of an interruption or a lost server, is of no use to anybody.
    await weft?.close({ timeoutMs: CLOSE_MS });
    await cluster.stop();
  }
}

async function audit(
  weft: Client,
  { workers }: DemoCluster,
  options: DemoOptions,
  startedMs: number,
): Promise<number> {
  let toKill = options.kill ? workers[0] : undefined;
  const run = new AuditRun(weft, {
    onChange() {
      view.changed();
      if (toKill === undefined || !run.isHalfWay) return;
      view.say(`half way: kill -9 ${toKill.pid}`);
      toKill.kill();
      toKill = undefined;
    },
    onFailure(error) {
      if (run.failed <= FAILURES_TOLD_MAX) view.say(error.message);
    },
  });
  const view: View = viewOf(run.stages, process.stdout);
  let left = workers.length;
  for (const worker of workers) {
    worker.ended.then(({ what }) => view.say(`${what}: ${countOf(--left, "worker")} left`), view.say);
  }
  let report: string | null;
  try {
    report = await run.run(options);
  } finally {
    view.end();
  }
  if (run.givenOutAgain > 0) say(`given out again after a worker was lost: ${run.givenOutAgain}`);
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const { succeeded, failed } = run;
  say(`demo: ${succeeded} tasks succeeded, ${failed} failed, ${seconds} s, report: ${report ?? "none"}`);
  return failed === 0 && report !== null ? 0 : EXIT.failed;
}

/** Resolves with the exit code when somebody wants this to end. A second Ctrl-C ends it at once. */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve(EXIT.interrupted)).once("SIGTERM", () => resolve(EXIT.terminated));
  });
}

function say(line: string): void {
  console.log(line);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function optionsOrExit(): DemoOptions | null {
  try {
    return demoOptionsOf(process.argv.slice(2));
  } catch (error) {
    console.error(`demo: ${textOf(error)}\nsee: npx -y pnpm@12 demo --help`);
    process.exit(EXIT.usage);
  }
}

const options = optionsOrExit();
if (options === null) say(HELP);
else {
  try {
    const code = await demo(options);
    if (code === EXIT.interrupted || code === EXIT.terminated) console.error("demo: interrupted");
    process.exitCode = code;
  } catch (error) {
    console.error(`demo: ${textOf(error)}`);
    process.exitCode = EXIT.failed;
  }
}
