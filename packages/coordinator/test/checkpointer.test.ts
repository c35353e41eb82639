/** A checkpoint of a fold that goes on: what is in it, and what waits for it. */
import { expect, test } from "vitest";
import { encodeLedger } from "../src/core/codec/ledger-codec.ts";
import type { Ledger } from "../src/core/ledger/index.ts";
import type { CheckpointContent } from "../src/shell/checkpoint-store.ts";
import { Checkpointer } from "../src/shell/checkpointer.ts";
import { Gate } from "../src/shell/gate.ts";
import { submission, TestLog } from "./test-log.ts";

/** More than a chunk of a checkpoint has room for. */
const TASKS = 20_000;

const bytesOf = (chunks: Iterable<Uint8Array>): string => Buffer.concat([...chunks]).toString("base64");
const turn = (): Promise<void> => new Promise((over) => setImmediate(over));

function fold(): { readonly log: TestLog; readonly ledger: Ledger } {
  const log = new TestLog();
  log.elect();
  log.submit(Array.from({ length: TASKS }, (_, id) => submission(id)));
  return { log, ledger: log.ledger };
}

type Stage = {
  readonly log: TestLog;
  readonly checkpointer: Checkpointer;
  readonly written: string[];
  /** A record comes that submits a task, and is folded as soon as it may be. */
  readonly come: (id: number) => void;
};

/** `onChunk` is told of each chunk as it is taken to be appended. */
function stage(onChunk: (count: number) => void = () => undefined): Stage {
  const { log, ledger } = fold();
  const clock = { endOfTurn: (act: () => void) => void setImmediate(act) };
  const gate = new Gate<{ id: number }>(({ id }) => log.submit([submission(id)]));
  const written: string[] = [];
  const reader = {
    hold: () => gate.shut(),
    get point() {
      return { seq: ledger.seq, digest: "digest" };
    },
  };
  const store = {
    async write({ chunks, ...rest }: CheckpointContent) {
      const taken: Uint8Array[] = [];
      for (const chunk of chunks) {
        taken.push(chunk);
        onChunk(taken.length);
        await turn();
      }
      written.push(bytesOf(taken));
      return { ...rest, log: "log", slot: 0, stateHash: "", bytes: 0, chunks: [] };
    },
  };
  const checkpointer = new Checkpointer({ clock, ledger, reader, store });
  return { log, checkpointer, written, come: (id) => gate.offer({ id }) };
}

test("it has the state between two records, and what comes while that is copied is folded behind it", async () => {
  const { log, checkpointer, written, come } = stage();
  const { ledger } = log;
  const before = bytesOf(encodeLedger(ledger));
  const seq = ledger.seq;
  const writing = checkpointer.write(seq);
  await turn();
  come(TASKS);
  expect(ledger.seq).toBe(seq);
  await writing;
  expect(ledger.seq).toBe(seq + 1);
  expect(written).toEqual([before]);
});

test("only the copy holds the fold up, not the append of it", async () => {
  const seen: number[] = [];
  const { log, checkpointer, come } = stage((count) => {
    come(TASKS + count);
    seen.push(log.ledger.seq);
  });
  const { seq } = log.ledger;
  await checkpointer.write(seq);
  expect(seen.length).toBeGreaterThan(1);
  expect(seen).toEqual(seen.map((_, i) => seq + 1 + i));
});

test("a record that is not folded yet is in no checkpoint", async () => {
  const { log, checkpointer, written } = stage();
  await expect(checkpointer.write(log.ledger.seq + 1)).rejects.toMatchObject({
    code: "weft_checkpoint_failed",
    retryable: true,
  });
  expect(written).toEqual([]);
});

test("once it is closed, what is being written stays without its end", async () => {
  const { log, checkpointer, written } = stage(() => checkpointer.close());
  await expect(checkpointer.write(log.ledger.seq)).rejects.toMatchObject({ code: "weft_checkpoint_failed" });
  expect(written).toEqual([]);
});
