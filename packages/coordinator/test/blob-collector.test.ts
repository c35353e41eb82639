/** Which large values are removed, and when: on a simulated server, over days. */
import { BlobId, type BlobOwner, Identity, InstanceId, Namespace, Subjects, TaskId } from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { Dice, SimLoop, SimProcess, SimServer } from "../../testing/src/simulation/index.ts";
import { BlobCollector, isNeeded } from "../src/shell/blob-collector.ts";

const HOUR_MS = 3_600_000;
const subjects = new Subjects(Namespace.parse("default"));
const stream = subjects.blobStream(0);
const idOf = (n: number): TaskId => TaskId.parse(`00aaaa${String(n).padStart(16, "0")}`);
type Tasks = Parameters<typeof isNeeded>[1];

/** Live tasks with their attempts, and settled ones. */
function tasksOf(
  live: Readonly<Record<number, number>>,
  settled: Readonly<Record<number, { readonly attempt: number; readonly outcome: string }>> = {},
): Tasks {
  const lives = new Map(Object.entries(live).map(([n, attempt]) => [idOf(Number(n)), { attempt }]));
  const ends = new Map(Object.entries(settled).map(([n, end]) => [idOf(Number(n)), end]));
  return { live: lives, settled: ends } as unknown as Tasks;
}

test("an argument is needed until its task has settled, a result as long as the task is known by it", () => {
  const tasks = tasksOf(
    { 1: 3 },
    { 2: { attempt: 2, outcome: "succeeded" }, 3: { attempt: 1, outcome: "failed" } },
  );
  const needed = (n: number, attempt: number | null): boolean => isNeeded({ task: idOf(n), attempt }, tasks);
  expect([null, 2, 3, 4].map((attempt) => needed(1, attempt))).toEqual([true, false, true, true]);
  expect([null, 1, 2, 3].map((attempt) => needed(2, attempt))).toEqual([false, false, true, false]);
  expect([null, 1].map((attempt) => needed(3, attempt))).toEqual([false, false]);
  expect([null, 1].map((attempt) => needed(4, attempt))).toEqual([false, false]);
});

let loop: SimLoop;
let server: SimServer;
let process: SimProcess;
let tasks: Tasks;
let lines: string[];
let collector: BlobCollector;

beforeEach(() => {
  loop = new SimLoop();
  const dice = new Dice(1);
  server = new SimServer(loop, dice);
  server.createStream(stream, { subjects: [subjects.blobAll(0)] });
  process = new SimProcess("c1", loop, dice.fork());
  tasks = tasksOf({});
  lines = [];
  collector = new BlobCollector({
    connection: server.connect(process, Identity.parse("coordinator"), InstanceId.parse("c1")),
    subjects,
    ledger: {
      get live() {
        return tasks.live;
      },
      get settled() {
        return tasks.settled;
      },
    },
    settings: { ageMinMs: 24 * HOUR_MS, everyMs: 600_000 },
    log: (line) => void lines.push(line),
  });
});

/** Stored now, by somebody whose clock is wrong by so much. */
function store(owner: BlobOwner, chunks = 3, wrongMs = 0): void {
  const id = BlobId.create(owner, process.clock.wallMs() + wrongMs, (length) => "x".repeat(length));
  const key = { identity: Identity.parse("client"), id };
  for (let chunk = 0; chunk < chunks; chunk++)
    server.publish(subjects.blobChunk(0, key, chunk), new Uint8Array(9));
}
const hours = (count: number): Promise<boolean> => loop.play(loop.nowMs + count * HOUR_MS, () => false);
const left = (): number => server.stored(stream).length;

test("what belongs to no task is removed when it is a day old, with all its chunks, and not before", async () => {
  store({ task: idOf(1), attempt: null });
  store({ task: idOf(2), attempt: 1 });
  await hours(23.8);
  expect(left()).toBe(6);
  await hours(0.5);
  expect(left()).toBe(0);
  expect(lines).toEqual(["2 large values that no task needs are removed"]);
});

test("what a task needs stays for however long, and goes once it does not", async () => {
  tasks = tasksOf({ 1: 1 });
  store({ task: idOf(1), attempt: null });
  store({ task: idOf(1), attempt: 1 });
  await hours(50);
  expect(left()).toBe(6);
  tasks = tasksOf({}, { 1: { attempt: 1, outcome: "succeeded" } });
  await hours(1);
  expect(left()).toBe(3);
  tasks = tasksOf({});
  await hours(1);
  expect(left()).toBe(0);
});

test("a maker whose clock is days behind does not lose what it has just stored", async () => {
  store({ task: idOf(1), attempt: null }, 3, -100 * HOUR_MS);
  await hours(23);
  expect(left()).toBe(3);
  await hours(2);
  expect(left()).toBe(0);
});

test("a coordinator that leads no more removes nothing", async () => {
  store({ task: idOf(1), attempt: null });
  collector.close();
  await hours(30);
  expect(left()).toBe(3);
});
