export { heldBytes } from "./held-bytes.ts";
export type { NatsCluster, StartNatsClusterOptions, WaitUntilReadyOptions } from "./nats-server/cluster.ts";
export { natsClusterOf, startNatsCluster } from "./nats-server/cluster.ts";
export type { NatsServerAttempt, NatsServerWay } from "./nats-server/errors.ts";
export {
  NatsServerError,
  NatsServerNotFoundError,
  NatsServerStartError,
  NatsServerStoppedError,
  NatsServerTooOldError,
  NatsServerUnusableError,
} from "./nats-server/errors.ts";
export type { FindNatsServerOptions, NatsServerBinary } from "./nats-server/finder.ts";
export { findNatsServer } from "./nats-server/finder.ts";
export type { PinnedRelease } from "./nats-server/pinned-release.ts";
export type { NatsServer, StartNatsServerOptions } from "./nats-server/server.ts";
export { isPortTaken, startNatsServer } from "./nats-server/server.ts";
export type { NatsClusterMembership } from "./nats-server/server-config.ts";
export type { NatsServerExit } from "./nats-server/server-run.ts";
export { isProcessRunning } from "./process-state.ts";
export type { TestCluster, TestClusterOptions } from "./test-cluster.ts";
export { startTestCluster } from "./test-cluster.ts";
export type { WaitOptions } from "./wait-until.ts";
export { waitUntil } from "./wait-until.ts";
