import { encodeRecord, Namespace, Subjects } from "@weft/protocol";
import { expect, test } from "vitest";
import { LogFold } from "../src/shell/log-fold.ts";
import type { RawRecord } from "../src/shell/log-reader.ts";
import { CLIENT, idOf, newLedger, submission } from "./test-log.ts";

const subjects = new Subjects(Namespace.parse("default"));

function submit(seq: number, id: number): RawRecord {
  const instance = CLIENT.split(".")[1] as never;
  const record = { type: "submit", instance, number: seq, tasks: [submission(id)] } as const;
  return { seq, stampMs: 1, subject: subjects.log(0, "submit", CLIENT), data: encodeRecord(record) };
}

function foldOf(skipped: readonly number[]): { readonly fold: LogFold; readonly voids: string[] } {
  const ledger = newLedger();
  const voids: string[] = [];
  const apply = ledger.apply.bind(ledger);
  ledger.apply = (entry) => {
    if (entry.record?.type === "submit" && entry.record.tasks.some(({ id }) => id === idOf(13)))
      throw new TypeError("poison");
    return apply(entry);
  };
  const onVoid = (kind: string): void => void voids.push(kind);
  return { fold: new LogFold({ ledger, subjects, skipped: new Set(skipped), onVoid }), voids };
}

test("a record at which the fold throws is named", () => {
  const { fold } = foldOf([]);
  fold.apply(submit(1, 1));
  expect(() => fold.apply(submit(2, 13))).toThrow(
    "the fold failed at record 2: TypeError: poison (`weft log show 2` tells what it is)",
  );
});

test("a record that is skipped is passed over, counted, and the fold goes on behind it", () => {
  const { fold, voids } = foldOf([2]);
  fold.apply(submit(1, 1));
  expect(fold.apply(submit(2, 13))).toEqual({ record: null, effects: [] });
  expect(fold.apply(submit(3, 3)).effects).toHaveLength(2);
  expect(voids).toEqual(["submit record: passed over by the operator"]);
});
