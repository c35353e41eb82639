/**
 * `pnpm record`: records a log for the tests to hold later versions to (docs/testing.md).
 *
 * The logs of a simulated seed are what whole clusters write under faults; the drawn ones have whatever records may come,
 * in any order, with every policy.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { encodeRecord, type LogRecord, type LogSubject, Namespace, Subjects } from "@weft/protocol";
import fc from "fast-check";
import type { Effect } from "../../packages/coordinator/src/core/ledger/index.ts";
import { steps } from "../../packages/coordinator/test/ledger-steps.ts";
import { TestLog } from "../../packages/coordinator/test/test-log.ts";
import { runSeed } from "../sim/run-seed.ts";
import {
  differenceOf,
  foldLog,
  parseLog,
  type RecordedLog,
  type RecordedRecord,
  textOfLog,
} from "./recorded-log.ts";

const help = `pnpm record NAME --about TEXT (--sim SEED | --drawn SEED)
pnpm record --refold

Writes test/fixtures/logs/NAME.jsonl: a log, and what it folds to.

  --about TEXT  what happens in it
  --sim SEED    as the simulated cluster of this seed writes it
  --drawn SEED  records of all kinds in any order
  --refold      write anew what all recorded logs fold to: only where the rules of the fold changed on purpose`;

const folder = new URL("../fixtures/logs/", import.meta.url);
const DRAWN_RECORDS = 300;
const DRAWN_RUNS = 100;
const BYTES_MAX = 100 * 1024;

type Source = Pick<RecordedLog, "records"> & {
  readonly head: Pick<RecordedLog["head"], "from" | "namespace" | "secret">;
};

async function simulated(seed: number): Promise<Source> {
  const records: RecordedRecord[] = [];
  const { wrong } = await runSeed(seed, ({ seq, stampMs, subject, data }) => {
    if (seq !== records.length + 1) throw new Error(`seed ${seed} loses the end of its log: take another`);
    records.push([stampMs, subject, Buffer.from(data).toString("base64")]);
  });
  if (wrong.length > 0) throw new Error(`seed ${seed} fails: ${wrong.join("; ")}`);
  return { head: { from: `pnpm sim --seed ${seed}`, namespace: "sim", secret: "secret" }, records };
}

/** What is drawn names few ids, so that records meet: each sequence has its own, and may finish what an earlier one left. */
class DrawnLog extends TestLog {
  sequence = 0;

  override append(subject: LogSubject, record: LogRecord | null): Effect[] {
    return super.append(subject, this.renamed(record) as LogRecord | null);
  }

  private renamed(value: unknown): unknown {
    if (typeof value === "string")
      return value.replace(/^00zzzz0/, `00zzzz${String.fromCharCode(65 + (this.sequence % 26))}`);
    if (Array.isArray(value)) return value.map((each) => this.renamed(each));
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.renamed(each)]));
  }
}

function drawn(seed: number): Source {
  const subjects = new Subjects(Namespace.parse("drawn"));
  const log = new DrawnLog();
  log.elect();
  for (const acts of fc.sample(steps, { seed, numRuns: DRAWN_RUNS })) {
    log.sequence++;
    for (const act of acts.slice(0, 20)) if (log.entries.length < DRAWN_RECORDS) act(log);
  }
  const records = log.entries.map(({ subject, record, stampMs }): RecordedRecord => {
    const name =
      subject.kind === "control"
        ? subjects.control(0, subject.secret)
        : subjects.log(0, subject.kind, subject.sender);
    const data = record === null ? "" : Buffer.from(encodeRecord(record)).toString("base64");
    return [stampMs, name, data];
  });
  const { secret } = log.ledger.config;
  return { head: { from: `drawn with seed ${seed}`, namespace: "drawn", secret }, records };
}

function write(name: string, about: string, source: Source): void {
  const { told } = foldLog(source);
  const text = textOfLog({ ...source, head: { about, ...source.head, fold: told } });
  if (text.length > BYTES_MAX)
    throw new Error(`the log takes ${text.length} bytes of at most ${BYTES_MAX}: take another seed`);
  writeFileSync(new URL(`${name}.jsonl`, folder), text);
  console.log(
    `${name}: ${source.records.length} records, ${text.length} bytes, ${JSON.stringify({ ...told, digests: [] })}`,
  );
}

function refold(): void {
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".jsonl"))) {
    const log = parseLog(readFileSync(new URL(name, folder), "utf8"));
    const { told } = foldLog(log);
    const difference = differenceOf(log.head.fold, told);
    console.log(`${name}: ${difference ?? "as before"}`);
    if (difference !== null)
      writeFileSync(new URL(name, folder), textOfLog({ ...log, head: { ...log.head, fold: told } }));
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    about: { type: "string" },
    sim: { type: "string" },
    drawn: { type: "string" },
    refold: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const [name] = positionals;
if (values.refold) refold();
else if (values.help || name === undefined || values.about === undefined) console.log(help);
else if (values.sim !== undefined) write(name, values.about, await simulated(Number(values.sim)));
else if (values.drawn !== undefined) write(name, values.about, drawn(Number(values.drawn)));
else console.log(help);
process.exit();
