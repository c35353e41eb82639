/** What the cluster itself says of tasks that did not settle: printed before a run that failed is over. */
import { runWeft } from "../fixtures/process.ts";
import type { Arena } from "./arena.ts";

const ASK_MAX_MS = 20_000;
const EXPLAINED_MAX = 5;
const ASKED_MAX = 2_000;
const OUTPUT_LINES_MAX = 30;

/** The state of each open task; what has no entry could not be asked about. */
export async function statesOf({ account, prober, tell }: Arena): Promise<ReadonlyMap<string, string>> {
  const states = new Map<string, string>();
  const open = account.openTasks();
  if (open.length > 0) tell(`asking about ${Math.min(open.length, ASKED_MAX)} tasks`);
  await Promise.all(
    open.slice(0, ASKED_MAX).map(async ({ id }) => {
      const state = await within(ASK_MAX_MS, prober.handle(id).state()).catch((error: unknown) =>
        String(error),
      );
      states.set(id, state);
    }),
  );
  return states;
}

/** How the cluster and its parties are, and why some of the tasks do not run. */
export async function tellWhy(arena: Arena): Promise<void> {
  const { account, network, nats, tell, coordinators, workers, observer } = arena;
  tell(`log: ${JSON.stringify(await observer.logState())}, broken: ${arena.calm.brokenTitles.join(", ")}`);
  for (const party of [...coordinators, ...workers]) {
    tell(`${party.title}, process ${party.pid}, says:`);
    for (const line of party.tail(OUTPUT_LINES_MAX)) tell(`    ${line}`);
  }
  const asked = account.openTasks().slice(0, EXPLAINED_MAX);
  for (const args of [["workers"], ...asked.map(({ id }) => ["show", id])]) {
    tell(`weft ${args.join(" ")}:`);
    const { code, stdout, stderr } = await runWeft([
      ...args,
      "--url",
      nats.urls.join(","),
      "--connect-timeout",
      "5s",
    ]);
    for (const line of `${stdout}${stderr}`.split("\n").slice(0, OUTPUT_LINES_MAX)) tell(`    ${line}`);
    if (code !== 0) tell(`    (ended with ${code})`);
  }
  for (const server of nats.servers) {
    tell(`${server.serverName ?? "nats-server"} (${network.title}) says:`);
    for (const line of server.logs().trimEnd().split("\n").slice(-OUTPUT_LINES_MAX)) tell(`    ${line}`);
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
