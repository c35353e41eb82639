/** The process whose memory is measured: a ledger and nothing else. */
import {
  ControlSecret,
  decodeRecord,
  encodeRecord,
  InstanceId,
  type LogRecord,
  Sender,
  type TaskId,
} from "@weft/protocol";
import { heldBytes } from "@weft/testing";
import { encodeLedger, LedgerDecoder } from "../../packages/coordinator/src/core/codec/ledger-codec.ts";
import { Ledger } from "../../packages/coordinator/src/core/ledger/index.ts";
import { serve } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { electionRecord, submitRecords } from "../recovery/task-records.ts";
import type { HolderContract, Measured, MeasuredState } from "./contract.ts";

const CLIENT = InstanceId.parse("client");
const WORKER = InstanceId.parse("worker");
const SECRET = ControlSecret.parse("secret");
const FINISHES = 1_000;

/** As a coordinator folds it: every record goes through its bytes. */
function fold(ledger: Ledger, kind: "submit" | "finish" | "control", data: Uint8Array): void {
  const read = decodeRecord(kind, data);
  if (!read.ok) throw new Error(`the bench made no record: ${read.kind}`);
  const record: LogRecord = read.value;
  const sender = Sender.parse(`bench.${record.instance}`);
  const subject = kind === "control" ? ({ kind, secret: SECRET } as const) : { kind, sender };
  ledger.apply({ seq: ledger.seq + 1, stampMs: Date.now(), subject, record });
}

function settleAll(ledger: Ledger): void {
  for (let number = 1; ledger.live.size > 0; number++) {
    const ids: TaskId[] = [];
    for (const { id } of ledger.live) if (ids.push(id) === FINISHES) break;
    const finishes = ids.map((id) => ({
      id,
      attempt: 1,
      outcome: "succeeded" as const,
      started: true,
      progress: null,
      value: Uint8Array.of(1),
      failure: null,
    }));
    fold(ledger, "finish", encodeRecord({ type: "finish", instance: WORKER, number, finishes }));
  }
}

function ledgerWith(state: MeasuredState, tasks: number): Ledger {
  const ledger = new Ledger({ partition: 0, secret: SECRET });
  fold(ledger, "control", electionRecord(Date.now()));
  const kind = state === "waiting" ? "waiting" : "ready";
  for (const data of submitRecords(tasks, kind, CLIENT)) fold(ledger, "submit", data);
  if (state === "settled") settleAll(ledger);
  // Waits begin with a control record.
  fold(ledger, "control", electionRecord(Date.now()));
  ledger.effects = [];
  return ledger;
}

function measure(state: MeasuredState, tasks: number): Measured {
  const emptyBytes = heldBytes().all;
  const beganMs = monotonicMs();
  const ledger = ledgerWith(state, tasks);
  const foldedMs = monotonicMs();
  const foldedBytes = heldBytes().all;
  const encodingMs = monotonicMs();
  const chunks = [...encodeLedger(ledger)];
  const encodedMs = monotonicMs();
  const beforeBytes = heldBytes().all;
  const decodingMs = monotonicMs();
  const decoder = new LedgerDecoder(ledger.config);
  for (const chunk of chunks) decoder.push(chunk);
  const decoded = decoder.done();
  const decodedMs = monotonicMs();
  const decodedBytes = heldBytes().all - beforeBytes;
  if (decoded.live.size !== ledger.live.size) throw new Error("tasks were lost");
  return {
    bytesPerTask: (foldedBytes - emptyBytes) / tasks,
    foldMs: foldedMs - beganMs,
    encodeMs: encodedMs - encodingMs,
    checkpointBytesPerTask: chunks.reduce((sum, chunk) => sum + chunk.length, 0) / tasks,
    decodeMs: decodedMs - decodingMs,
    decodedBytesPerTask: decodedBytes / tasks,
  };
}

const contract: HolderContract = { measure: ({ state, tasks }) => measure(state, tasks) };
serve(contract, async () => undefined);
