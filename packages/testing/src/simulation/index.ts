/** A cluster in one process, on simulated time: for tests that have to see every fault at every moment. */
export { Dice } from "./dice.ts";
export { SimLoop, type SimTimer } from "./loop.ts";
export { type SimConnection, SimServer, type SimServerOptions } from "./nats/sim-server.ts";
export type { AckFaults, StreamConfig } from "./nats/sim-stream.ts";
export { type ClockFault, EPOCH_MS, SimProcess } from "./sim-process.ts";
