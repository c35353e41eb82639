/** What the cache of values in front of the log takes. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { InstanceId, type LogRecord, Namespace, Subjects } from "@weft/protocol";
import type { Connection } from "@weft/transport";
import { expect, test } from "vitest";
import { ValueStore } from "../src/shell/value-store.ts";
import { submission } from "./test-log.ts";

const MIB = 1024 * 1024;
const connection = { stream: () => ({}) } as unknown as Connection;

test("is bounded in the memory that it takes, also where the values are small and many", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const heldBytes = (): number => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const store = new ValueStore(connection, new Subjects(Namespace.parse("default")));
  const shared = submission(1);
  const remember = (seq: number): void => {
    const bytes = new Uint8Array(1_000);
    const tasks = Array.from({ length: 1_000 }, (_, at) => ({ ...shared, args: bytes.subarray(at, at + 1) }));
    const record: LogRecord = { type: "submit", instance: InstanceId.parse("c1"), number: seq, tasks };
    store.remember(seq, record, bytes.length);
  };
  remember(1);
  const before = heldBytes();
  const records = 1_500;
  for (let seq = 2; seq <= records; seq++) remember(seq);
  expect((heldBytes() - before) / MIB).toBeLessThan(140);
  expect(store.peek({ seq: records, index: 0 })).toHaveLength(1);
  expect(store.peek({ seq: 1, index: 0 })).toBeUndefined();
});

test("keeps no arguments of tasks that have all settled", () => {
  const store = new ValueStore(connection, new Subjects(Namespace.parse("default")));
  const tasks = [submission(1), submission(2)];
  store.remember(7, { type: "submit", instance: InstanceId.parse("c1"), number: 1, tasks }, 100);
  store.settled({ seq: 7, index: 0 });
  expect(store.peek({ seq: 7, index: 1 })).toEqual(Uint8Array.of(2));
  store.settled({ seq: 7, index: 1 });
  expect(store.peek({ seq: 7, index: 1 })).toBeUndefined();
  store.settled({ seq: 7, index: 1 });
});
