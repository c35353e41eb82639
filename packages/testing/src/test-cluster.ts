/** A whole cluster for tests, in one call: a real nats-server, a coordinator and workers in this process, and clients. */
import { type Client, type ClientOptions, connect } from "@weft/client";
import { Coordinator, type CoordinatorOptions } from "@weft/coordinator";
import { UsageError } from "@weft/protocol";
import { Worker, type WorkerOptions } from "@weft/worker";
import { type NatsServer, type StartNatsServerOptions, startNatsServer } from "./nats-server/server.ts";

export type TestClusterOptions = {
  /** Tasks of the first worker. @default no worker is started */
  readonly worker?: WorkerOptions;
  readonly server?: StartNatsServerOptions;
  /** Told of every line that coordinators and workers log. */
  readonly log?: (line: string) => void;
};

export type TestCluster = {
  readonly server: NatsServer;
  /** The coordinator that leads now. Throws where none does. */
  leader(): Coordinator;
  /** Starts one more coordinator. */
  coordinator(options?: CoordinatorOptions): Promise<Coordinator>;
  worker(options: WorkerOptions): Promise<Worker>;
  client(options?: ClientOptions): Promise<Client>;
  /** Everything that was started, in reverse order. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** The server, one coordinator that leads, and a worker where its tasks are given. Each call has a server of its own. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const server = await startNatsServer(options.server ?? {});
  const started: (() => Promise<unknown>)[] = [() => server.stop()];
  const common = { servers: server.url, ...(options.log === undefined ? {} : { log: options.log }) };
  const stop = async (): Promise<void> => {
    for (let last = started.pop(); last !== undefined; last = started.pop()) await last();
  };
  const coordinators: Coordinator[] = [];
  const cluster: TestCluster = {
    server,
    leader() {
      const leader = coordinators.find((each) => each.leading);
      if (leader === undefined) throw new UsageError("no coordinator of this test cluster leads");
      return leader;
    },
    async coordinator(more = {}) {
      const coordinator = await Coordinator.start({ ...common, create: true, ...more });
      coordinators.push(coordinator);
      started.push(() => coordinator.stop());
      return coordinator;
    },
    async worker(more) {
      const worker = await Worker.start({ ...common, ...more });
      started.push(() => worker.stop({ graceMs: 0 }));
      return worker;
    },
    async client(more = {}) {
      const client = await connect({ servers: server.url, ...more });
      started.push(() => client.close());
      return client;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
  try {
    const coordinator = await cluster.coordinator();
    await coordinator.untilLeading();
    if (options.worker !== undefined) await cluster.worker(options.worker);
  } catch (error) {
    await stop();
    throw error;
  }
  return cluster;
}
