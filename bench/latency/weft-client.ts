/** The client process of Weft: what a user would write, with a clock beside it. */

import { connect, type TaskHandle } from "@weft/client";
import { assertNever } from "@weft/protocol";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { ClientContract, ClientSight, Order, Run } from "./contract.ts";

const client = await connect({ servers: serverOfRun(), onError: (error) => console.error(error) });
const tasks = client.tasks<typeof import("./weft-tasks.ts")>();

function submit(run: Run, index: number): TaskHandle<number> {
  switch (run) {
    case "round_trip":
      return tasks.noop(index);
    case "handoff":
      return tasks.second(index, { dependsOn: [tasks.first(index)] });
    case "progress":
      return tasks.reporting(index);
    default:
      return assertNever(run);
  }
}

async function sightOf(run: Run, index: number): Promise<ClientSight> {
  let completedMs = Number.NaN;
  let progressMs: number | null = null;
  const submittedMs = monotonicMs();
  const handle = submit(run, index);
  handle.onComplete(() => {
    completedMs = monotonicMs();
  });
  if (run === "progress") {
    handle.onProgress(() => {
      progressMs ??= monotonicMs();
    });
  }
  await handle.result();
  return { index, key: handle.id, submittedMs, completedMs, resultMs: monotonicMs(), progressMs };
}

const contract: ClientContract = {
  async run({ run, first, count }: Order) {
    const sights: ClientSight[] = [];
    for (let index = first; index < first + count; index++) sights.push(await sightOf(run, index));
    return sights;
  },
};
serve(contract, () => client.close());
