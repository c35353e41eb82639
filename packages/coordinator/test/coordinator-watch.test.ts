/** What coordinators know of each other, and of their own connection: on simulated time. */
import { Namespace, type Sender, Subjects } from "@weft/protocol";
import { AwakeTime, Pace } from "@weft/transport";
import { beforeEach, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { CoordinatorWatch, type OwnState } from "../src/shell/coordinator-watch.ts";

const subjects = new Subjects(Namespace.parse("default"));
let bus: FakeBus;
beforeEach(() => {
  bus = new FakeBus();
});

function coordinator(name: string, more: Partial<OwnState> = {}): CoordinatorWatch {
  const process = bus.process(name);
  const watch = new CoordinatorWatch({
    connection: bus.connection("coordinator", process),
    subjects,
    own: () => ({ state: "following", epoch: 4, foldVersion: 1, foldedSeq: 9, ...more }),
    onVoid: (kind) => {
      throw new Error(kind);
    },
  });
  const { clock } = process;
  const pace = new Pace({ clock, isBusy: () => true });
  watch.start(new AwakeTime({ clock, pace, hears: () => watch.isHeard() }));
  return watch;
}

const pass = (ms: number): Promise<boolean> => bus.loop.play(bus.loop.nowMs + ms);
const ids = (watch: CoordinatorWatch): Sender[] => watch.known().map(({ id }) => id);

test("each knows the others within a second, and no more when they leave or fall silent", async () => {
  const first = coordinator("a");
  const second = coordinator("b", { state: "leading" });
  const third = coordinator("c");
  await pass(1_000);
  expect(ids(first).toSorted()).toEqual(["coordinator.a", "coordinator.b", "coordinator.c"]);
  expect(first.reports()[0]).toMatchObject({
    foldedSeq: 9,
    foldVersion: 1,
    lastSeenMsAgo: expect.any(Number),
  });
  third.leave();
  expect(ids(first).toSorted()).toEqual(["coordinator.a", "coordinator.b"]);
  expect(first.isLeaderHeard(4)).toBe(true);
  expect(first.isLeaderHeard(5)).toBe(false);
  expect(second.isLeaderHeard(4)).toBe(false);
  bus.isLost = (subject) => subject.endsWith(".b");
  await pass(2_100);
  expect(first.isLeaderHeard(4)).toBe(false);
  await pass(2_000);
  expect(ids(first)).toEqual(["coordinator.a"]);
});

test("one whose own word does not come back knows that its connection does not work, and forgets nobody", async () => {
  const first = coordinator("a");
  coordinator("b");
  await pass(2_000);
  expect(first.isHeard()).toBe(true);
  bus.isLost = () => true;
  await pass(2_100);
  expect(first.isHeard()).toBe(false);
  await pass(60_000);
  expect(ids(first).toSorted()).toEqual(["coordinator.a", "coordinator.b"]);
  bus.isLost = () => false;
  await pass(1_100);
  expect(first.isHeard()).toBe(true);
});

test("the newest rules that all know are those of the oldest, once it has listened long enough to know all", async () => {
  const first = coordinator("a", { foldVersion: 3 });
  const old = coordinator("b", { foldVersion: 2 });
  await pass(3_000);
  expect(first.foldVersionOfAll()).toBe(0);
  await pass(1_000);
  expect(first.foldVersionOfAll()).toBe(2);
  old.leave();
  expect(first.foldVersionOfAll()).toBe(3);
});
