/** Values that no record holds: stored beside the log by whoever makes them, read through the leader, on a real server. */
import { createHash, randomBytes } from "node:crypto";
import { startTestCluster, type TestCluster } from "@weft/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

const file = new URL("../fixtures/large-tasks.ts", import.meta.url).href;
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster({ worker: { files: [file], slots: 4 } });
});
afterAll(() => cluster.stop());

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test.each([
  ["5 KB", 5_000],
  ["64 KB and a little", 65_600],
  ["5 MB", 5_000_000],
])("%s travel as argument, as dependency and as result, whatever runs the code", async (_, length) => {
  const weft = await cluster.client();
  const bytes = Uint8Array.from(randomBytes(length));
  const digest = digestOf(bytes);
  for (const executor of ["inline", "thread", "process"]) {
    const made = weft.submit<Uint8Array>(`${executor}-echo`, bytes);
    const told = weft.submit<string[]>(`${executor}-digests`, undefined, { dependsOn: [made, made] });
    expect(digestOf(await made.result())).toBe(digest);
    expect(await told.result()).toEqual([digest, digest]);
  }
});
