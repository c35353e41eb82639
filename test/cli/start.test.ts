/** What a command loads when it starts, and what it leaves for the next one. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNatsServer, waitUntil } from "@weft/testing";
import { expect, test } from "vitest";
import { newInvocation } from "../../packages/cli/src/invocation.ts";
import { programOf } from "../../packages/cli/src/program.ts";
import { startWeft } from "../fixtures/process.ts";

const MODULES_LEAST = 50;

test("a command line that begins with a command has that one and no other, any other has all", async () => {
  const named = async (first?: string): Promise<readonly string[]> =>
    (await programOf(newInvocation(), first)).commands.map((command) => command.name());
  expect(await named("coordinator")).toEqual(["coordinator"]);
  const all = await named();
  expect(all).toEqual(expect.arrayContaining(["dev", "coordinator", "worker", "repair"]));
  for (const other of ["--json", "help", "coordinater", "constructor"])
    expect(await named(other)).toEqual(all);
});

test("a coordinator has written what it has compiled while it still runs: one that is killed leaves it to the next", {
  timeout: 30_000,
}, async () => {
  const compiled = await mkdtemp(join(tmpdir(), "weft-compiled-"));
  await using server = await startNatsServer();
  const coordinator = startWeft(["coordinator", "--create", "--url", server.url], {
    env: { NODE_COMPILE_CACHE: compiled },
  });
  try {
    await coordinator.printed("stands by");
    await waitUntil(async () => (await readdir(compiled, { recursive: true })).length > MODULES_LEAST, {
      what: "what it has compiled, while it runs",
    });
  } finally {
    coordinator.kill("SIGKILL");
    await rm(compiled, { recursive: true });
  }
});
