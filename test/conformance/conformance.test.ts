/** The simulated server does what real ones do: every case runs on it, on one real server and on a cluster of three. */
import { type NatsCluster, type NatsServer, startNatsCluster, startNatsServer } from "@weft/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { appendCases } from "./cases/appends.ts";
import { outageCases } from "./cases/outages.ts";
import { plainCases } from "./cases/plain.ts";
import { readerCases } from "./cases/readers.ts";
import { readCases } from "./cases/reads.ts";
import { RealTarget } from "./real-target.ts";
import { SimTarget } from "./sim-target.ts";
import type { Case } from "./target.ts";

const cases: readonly Case[] = [...plainCases, ...appendCases, ...readCases, ...readerCases, ...outageCases];
const SEEDS = 10;

function casesFor(replicas: 1 | 3): (readonly [string, Case])[] {
  return cases
    .filter((each) => each.replicas === undefined || each.replicas === replicas)
    .map((each) => [each.title, each] as const);
}

async function onReal(each: Case, servers: readonly NatsServer[], cluster?: NatsCluster): Promise<void> {
  const target = new RealTarget(servers, cluster);
  try {
    await each.run(target);
  } finally {
    await target.end();
  }
}

describe.each([1, 3] as const)("the simulated server with %i replicas", (replicas) => {
  test.each(casesFor(replicas))("%s", async (_, each) => {
    for (let seed = 1; seed <= SEEDS; seed++) await new SimTarget(replicas, seed).play(each);
  });
});

describe("one server", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(async () => {
    await server.stop();
  });
  test.each(casesFor(1))("%s", (_, each) => onReal(each, [server]));
});

describe("a cluster of three", () => {
  let cluster: NatsCluster;
  beforeAll(async () => {
    cluster = await startNatsCluster(3);
  });
  afterAll(async () => {
    await cluster.stop();
  });
  test.each(casesFor(3))("%s", (_, each) => onReal(each, cluster.servers, cluster));
});
