/** The client process of Weft: what a user would write. */
import { connect, type TaskHandle } from "@weft/client";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { GraphClientContract } from "./contract.ts";
import { graphOf } from "./graph.ts";

const client = await connect({ servers: serverOfRun(), onError: (error) => console.error(error) });

const contract: GraphClientContract = {
  async run({ graph: name, count }) {
    const graph = graphOf(name, count);
    const done = Promise.withResolvers<void>();
    let settled = 0;
    const handles: TaskHandle[] = [];
    const beganMs = monotonicMs();
    for (const dependencies of graph) {
      const dependsOn = dependencies.flatMap((position) => handles[position] ?? []);
      const handle = client.submit("noop", null, { dependsOn });
      handle.onComplete(() => {
        if (++settled === graph.length) done.resolve();
      });
      handle.onError(done.reject);
      handles.push(handle);
    }
    await done.promise;
    return { tasks: graph.length, ms: monotonicMs() - beganMs };
  },
};
serve(contract, () => client.close());
