/** What a leader says to clients, and how much of it at most. */
import {
  decodeClientMessage,
  Namespace,
  type Sender,
  Subjects,
  senderOf,
  TaskId,
  TaskName,
} from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import type { Ledger, SettledTask } from "../src/core/ledger/index.ts";
import { ClientOutlet } from "../src/shell/client-outlet.ts";
import type { ValueStore } from "../src/shell/value-store.ts";

const subjects = new Subjects(Namespace.parse("default"));
const clientOf = (n: number): Sender => `client.c${n}` as Sender;
const idOf = (n: number): TaskId => TaskId.parse(`00aaaa${String(n).padStart(16, "0")}`);

let bus: FakeBus;
let outlet: ClientOutlet;
beforeEach(() => {
  bus = new FakeBus();
  outlet = new ClientOutlet({
    nats: bus.connection("coordinator", bus.process("leader")).nats,
    subjects,
    ledger: { live: new Map(), settled: new Map() } as unknown as Ledger,
    values: { peek: () => null } as unknown as ValueStore,
    epoch: 1,
    onFailed: (error) => {
      throw error;
    },
  });
});

function said(): { readonly to: Sender | null; readonly number: number; readonly settled: number }[] {
  return bus.published.splice(0).map(({ subject, data }) => {
    const read = decodeClientMessage(data);
    if (!read.ok) throw new Error(read.kind);
    return { to: senderOf(subject), number: read.value.number, settled: read.value.settled.length };
  });
}

function settle(task: number, owner: Sender): void {
  const settled = {
    id: idOf(task),
    name: TaskName.parse("echo"),
    outcome: "succeeded",
    attempt: 1,
    tries: 1,
    verdict: null,
  };
  outlet.settled(settled as unknown as SettledTask, owner, null, null);
  outlet.flush();
}

test("a client whose last batch was lost hears its number five times more, though it waits for nothing", () => {
  outlet.opened(clientOf(1));
  settle(1, clientOf(1));
  said();
  for (let second = 0; second < 10; second++) outlet.sync();
  expect(said()).toEqual(Array(5).fill({ to: clientOf(1), number: 1, settled: 0 }));
});

test("a client that was forgotten and comes back gets no number twice", () => {
  outlet.opened(clientOf(1));
  settle(1, clientOf(1));
  for (let second = 0; second < 10; second++) outlet.sync();
  outlet.opened(clientOf(1));
  said();
  settle(2, clientOf(1));
  expect(said()).toEqual([{ to: clientOf(1), number: 2, settled: 1 }]);
});

test("of very many clients five thousand a second are told their number, each in its turn", () => {
  for (let n = 0; n < 12_000; n++) outlet.opened(clientOf(n));
  const told = new Set<Sender | null>();
  for (let second = 0; second < 3; second++) {
    outlet.sync();
    const messages = said();
    expect(messages).toHaveLength(5_000);
    for (const { to } of messages) told.add(to);
  }
  expect(told.size).toBe(12_000);
});

test("no more is watched than can be, and what has settled is watched no more", () => {
  let watched = 0;
  for (let task = 0; task < 1_000; task++) {
    for (let n = 0; n < 1_001; n++) if (outlet.watch(idOf(task), clientOf(n))) watched++;
  }
  expect(watched).toBe(1_000_000);
  expect(outlet.watch(idOf(5), clientOf(5))).toBe(true);
  settle(5, clientOf(0));
  expect(outlet.watch(idOf(2_000), clientOf(5))).toBe(true);
});
