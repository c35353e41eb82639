/** Coordinators of two versions side by side, as in a rolling upgrade. */
import { Identity, InstanceId, LogTooNewError, Namespace } from "@weft/protocol";
import { type NatsServer, startNatsServer, waitUntil } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Coordinator } from "../../packages/coordinator/src/shell/coordinator.ts";
import { createNamespace } from "../../packages/coordinator/src/shell/namespace.ts";
import { openConnection } from "../../packages/transport/src/index.ts";

let server: NatsServer;
let running: Coordinator[];
beforeEach(async () => {
  server = await startNatsServer();
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.stop()));
  await server.stop();
});

async function coordinator(foldVersion: number, log: string[] = []): Promise<Coordinator> {
  const connection = await openConnection(Identity.parse("coordinator"), InstanceId.create(), {
    servers: server.url,
  });
  const config = await createNamespace(connection.nats, Namespace.parse("default"), {});
  const started = await Coordinator.open(connection, config, { foldVersion, log: (line) => log.push(line) });
  running.push(started);
  return started;
}

test("new rules are in force once the last old coordinator is gone, and an old one stops by itself from then on", {
  timeout: 60_000,
}, async () => {
  const old = await coordinator(1);
  await old.untilLeading();
  const newer = await coordinator(2);
  await old.stop();
  await newer.untilLeading();
  // A second old one keeps the old rules, though the leader knows newer ones.
  const second = await coordinator(1);
  const fromMs = performance.now();
  await waitUntil(() => performance.now() - fromMs > 5_000);
  expect(newer.leading).toBe(true);
  let ended: Error | null | undefined;
  const watching = second.untilEnded().then((error) => {
    ended = error;
  });
  await waitUntil(() => performance.now() - fromMs > 5_500);
  expect(ended).toBe(undefined);
  await second.stop();
  await watching;
  expect(ended).toBe(null);
  const late = async (): Promise<Error | null> => {
    try {
      return await (await coordinator(1)).untilEnded();
    } catch (error) {
      return error as Error;
    }
  };
  // Within some seconds of the last old one's end the newer rules are in force.
  await waitUntil(() => performance.now() - fromMs > 8_000);
  expect(await late()).toBeInstanceOf(LogTooNewError);
  expect(newer.leading).toBe(true);
});
