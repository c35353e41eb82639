/** NATS as users start it in tests of their own: through testcontainers. */
import { NatsContainer, type StartedNatsContainer } from "@testcontainers/nats";
import { type Client, connect } from "@weft/client";
import { Coordinator } from "@weft/coordinator";
import { defineTask, reportProgress, Worker } from "@weft/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noEngine, titleOf } from "./engine.ts";
import { buildNatsImage, NATS_IMAGE, removeImages } from "./local-images.ts";

const tasks = {
  add: defineTask("add", (input: { a: number; b: number }) => {
    reportProgress(0.5, "half way");
    return input.a + input.b;
  }),
};

describe.skipIf(noEngine !== null)(titleOf("NATS in a container", noEngine), () => {
  let nats: StartedNatsContainer;
  let coordinator: Coordinator;
  let worker: Worker;
  let weft: Client;

  beforeAll(async () => {
    await buildNatsImage();
    nats = await new NatsContainer(NATS_IMAGE).withJetStream().start();
    const { user, pass } = nats.getConnectionOptions();
    const servers = `nats://${user}:${pass}@${nats.getHost()}:${nats.getMappedPort(4222)}`;
    coordinator = await Coordinator.start({ servers, create: true });
    worker = await Worker.start({ servers, tasks });
    weft = await connect({ servers });
  });
  afterAll(async () => {
    await weft?.close();
    await worker?.stop();
    await coordinator?.stop();
    await nats?.stop();
    await removeImages();
  });

  test("carries tasks, dependencies, progress and results", async () => {
    const run = weft.tasks<typeof tasks>();
    const first = run.add({ a: 1, b: 2 });
    const messages: (string | undefined)[] = [];
    first.onProgress(({ message }) => messages.push(message));
    const second = run.add({ a: 3, b: 4 }, { dependsOn: [first] });
    expect([await first.result(), await second.result()]).toEqual([3, 7]);
    expect(messages).toEqual(["half way"]);
  });
});
