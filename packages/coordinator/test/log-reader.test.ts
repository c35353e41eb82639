import { headers } from "@nats-io/transport-node";
import type { Stream } from "@weft/transport";
import { expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { LOG_BEGINNING } from "../src/shell/log-point.ts";
import { LogReader, parseDelivery } from "../src/shell/log-reader.ts";

test.each([
  ["$JS.ACK.WEFT_default_0.weft-a.1.42.7.1700000000123456789.3", { seq: 42, stampMs: 1_700_000_000_123 }],
  [
    "$JS.ACK._.hash.WEFT_default_0.weft-a.1.42.7.1700000000123456789.0.token",
    { seq: 42, stampMs: 1_700_000_000_123 },
  ],
  [
    "$JS.ACK.hub.hash.WEFT_default_0.weft-a.1.9007199254740991.7.1700000000123456789.0",
    { seq: Number.MAX_SAFE_INTEGER, stampMs: 1_700_000_000_123 },
  ],
])("the delivery %s is read", (reply, delivery) => expect(parseDelivery(reply)).toEqual(delivery));

test.each([
  undefined,
  "",
  "_INBOX.a",
  "$JS.ACK.stream.consumer.1.2.3.4",
  "$JS.ACK.a.b.c.d.e.f.g.h",
  "$JS.ACK.stream.consumer.1.x.3.1700000000123456789.0",
  "$JS.ACK.stream.consumer.1.2.3..0",
])("what is no delivery is not taken for one: %s", (reply) => expect(parseDelivery(reply)).toBeNull());

/** A reader of a log that holds records 1 to `held`, and whose consumer delivers when told to. */
async function readerOf(held: number): Promise<{
  readonly deliver: (seq: number, pending: number) => void;
  readonly heartbeat: (lastSeq: number) => void;
  readonly told: readonly string[];
  readonly reader: LogReader;
}> {
  const bus = new FakeBus();
  const process = bus.process("reader");
  let deliverTo = "";
  const stream = {
    info: async () => ({ firstSeq: held === 0 ? 0 : 1, lastSeq: held, bytes: 0, bytesMax: 0, metadata: {} }),
    follow: async (options: { deliverTo: string }) => {
      ({ deliverTo } = options);
      return held;
    },
  } as unknown as Stream;
  const told: string[] = [];
  const reader = new LogReader({
    connection: bus.connection("coordinator", process),
    stream,
    onRecord: ({ seq }) => told.push(`record ${seq}`),
    onCaughtUp: () => told.push("caught up"),
    onQuiet: () => told.push("quiet"),
    onFailed: (error) => told.push(error.message),
  });
  await reader.start(LOG_BEGINNING);
  const deliver = (seq: number, pending: number): void => {
    const reply = `$JS.ACK.log.consumer.1.${seq}.${seq}.1700000000123456789.${pending}`;
    bus.deliver(deliverTo, new Uint8Array(), reply);
  };
  const heartbeat = (lastSeq: number): void => {
    const status = headers(100, "Idle Heartbeat");
    status.set("Nats-Last-Stream", String(lastSeq));
    bus.deliver(deliverTo, new Uint8Array(), "", status);
  };
  return { deliver, heartbeat, told, reader };
}

test("it has caught up with what the log held at first, however much is appended meanwhile", async () => {
  const { deliver, told } = await readerOf(2);
  deliver(1, 50);
  expect(told).toEqual(["record 1"]);
  deliver(2, 50);
  deliver(3, 50);
  expect(told).toEqual(["record 1", "record 2", "caught up", "record 3"]);
});

test("it has caught up with an empty log at once", async () => {
  expect((await readerOf(0)).told).toEqual(["caught up"]);
});

test("it tells that the log is quiet when a heartbeat of the server does, unless that names a record which it lacks", async () => {
  const { deliver, heartbeat, told } = await readerOf(1);
  deliver(1, 0);
  heartbeat(1);
  expect(told).toEqual(["record 1", "caught up", "quiet"]);
  heartbeat(2);
  expect(told).toEqual(["record 1", "caught up", "quiet"]);
});

test("while it is held it hands nothing on, and then what came, in its order", async () => {
  const { deliver, heartbeat, told, reader } = await readerOf(3);
  deliver(1, 0);
  const goOn = reader.hold();
  deliver(2, 0);
  heartbeat(2);
  deliver(3, 0);
  expect(told).toEqual(["record 1"]);
  expect(reader.point.seq).toBe(1);
  goOn();
  expect(told).toEqual(["record 1", "record 2", "quiet", "record 3", "caught up"]);
});

test("R3: what came while it was held is not handed on after a reconnect: the stream may have lost it", async () => {
  const { deliver, told, reader } = await readerOf(2);
  deliver(1, 0);
  const goOn = reader.hold();
  deliver(2, 0);
  reader.reopen();
  goOn();
  expect(told).toEqual(["record 1"]);
});

test("what came while it was held is not handed on once it is closed", async () => {
  const { deliver, told, reader } = await readerOf(1);
  const goOn = reader.hold();
  deliver(1, 0);
  reader.close();
  goOn();
  expect(told).toEqual([]);
});
