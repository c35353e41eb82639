/** What a leader asks of the log when it appends. */
import { type ControlEvent, ControlSecret, decodeRecord, Namespace, Nonce, Subjects } from "@weft/protocol";
import { expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { ControlWriter } from "../src/shell/control-writer.ts";

const TICK: ControlEvent = { type: "tick", mark: null };
const ELECTED: ControlEvent = { type: "elected", nonce: Nonce.create(() => "aNonceOfATest") };

/** A writer, and a log that hears it: `stores` says whether that takes what it is sent and hands it back. */
function writerOf({ stores }: { readonly stores: boolean }) {
  const bus = new FakeBus();
  const process = bus.process("c1");
  const connection = bus.connection("coordinator", process);
  const subjects = new Subjects(Namespace.parse("default"));
  const secret = ControlSecret.create(connection.entropy.token);
  const writer = new ControlWriter({
    connection,
    subjects,
    secret,
    lastControlSeq: () => 7,
    foldVersion: () => 1,
    tickTimeoutMs: () => 500,
    onFull: async () => undefined,
  });
  const log = { stores };
  /** Of each record that was sent: when, whether an answer was asked for, and its number. */
  const sent: { readonly atMs: number; readonly asks: boolean; readonly number: number }[] = [];
  connection.nats.subscribe(subjects.control(0, secret), {
    callback: (_, message) => {
      const read = decodeRecord("control", message.data);
      if (!read.ok || read.value.type !== "control") throw new Error("not a control record");
      const record = read.value;
      sent.push({ atMs: bus.loop.nowMs, asks: message.reply !== undefined, number: record.number });
      if (!log.stores) return;
      bus.loop.after(1, () => process.deliver(() => writer.folded(record)));
    },
  });
  return { bus, writer, log, sent };
}

test("a tick is known to be stored by its coming back: no acknowledgement is asked for", async () => {
  const { bus, writer, sent } = writerOf({ stores: true });
  const appended = writer.append(1, TICK, () => true);
  await bus.loop.play(10);
  expect(await appended).toBe(true);
  expect(sent).toEqual([{ atMs: 0, asks: false, number: 1 }]);
});

test("a tick that does not come back is sent again after half a second under its number, and an answer is asked for", async () => {
  const { bus, writer, log, sent } = writerOf({ stores: false });
  const appended = writer.append(1, TICK, () => true);
  await bus.loop.play(499);
  expect(sent).toHaveLength(1);
  log.stores = true;
  await bus.loop.play(520);
  expect(await appended).toBe(true);
  expect(sent.slice(1)).toEqual([{ atMs: 500, asks: true, number: 1 }]);
});

test("all else that is appended asks at once", async () => {
  const { bus, writer, sent } = writerOf({ stores: true });
  const appended = writer.tryAppend(0, ELECTED);
  await bus.loop.play(10);
  expect(await appended).toBe(true);
  expect(sent).toEqual([{ atMs: 0, asks: true, number: 1 }]);
});
