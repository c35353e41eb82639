/** `pnpm demo`: audits everything that is installed here on a real cluster, and shows how it goes. */
import { type Client, connect } from "@weft/client";
import { type DemoCluster, startCluster } from "./src/cluster.ts";
import { type DemoOptions, demoOptionsOf, HELP } from "./src/options.ts";
import { AuditRun } from "./src/run-audit.ts";
import { type View, viewOf } from "./src/view.ts";

const FAILURES_TOLD_MAX = 20;
const HALF_WAY = 0.5;

async function demo(options: DemoOptions): Promise<number> {
  const startedMs = performance.now();
  const say = (line: string): void => console.log(line);
  const cluster = await startCluster(say);
  const interrupted = Promise.withResolvers<number>();
  process.once("SIGINT", () => interrupted.resolve(130)).once("SIGTERM", () => interrupted.resolve(143));
  try {
    say(
      `nats-server ${cluster.natsVersion} at ${cluster.url}, a coordinator, ${cluster.workers.length} workers`,
    );
    say(`look inside with: npx -y pnpm@12 weft events --url ${cluster.url}`);
    await using weft = await connect({ servers: cluster.url });
    return await Promise.race([audit(weft, cluster, options, startedMs), interrupted.promise]);
  } finally {
    await cluster.stop();
  }
}

async function audit(
  weft: Client,
  cluster: DemoCluster,
  options: DemoOptions,
  startedMs: number,
): Promise<number> {
  let failures = 0;
  let toKill = options.kill ? cluster.workers[0] : undefined;
  const run = new AuditRun(weft, {
    onChange() {
      view.changed();
      if (toKill === undefined || run.packagesFraction < HALF_WAY) return;
      toKill.kill();
      view.say(`kill -9 ${toKill.pid}: one of ${cluster.workers.length} workers is gone, the other goes on`);
      toKill = undefined;
    },
    onFailure({ name }, { id, error }) {
      if (++failures <= FAILURES_TOLD_MAX) view.say(`${name} ${id} failed: ${error.message}`);
    },
  });
  const view: View = viewOf(run.stages, process.stdout);
  let report: string | null;
  try {
    report = await run.run(options);
  } finally {
    view.end();
  }
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  const { succeeded, failed } = run;
  console.log(
    `demo: ${succeeded} tasks succeeded, ${failed} failed, ${seconds} s, report: ${report ?? "none"}`,
  );
  return failed === 0 && report !== null ? 0 : 1;
}

let options: DemoOptions | null;
try {
  options = demoOptionsOf(process.argv.slice(2));
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  process.exit(2);
}
if (options === null) console.log(HELP);
else process.exitCode = await demo(options);
