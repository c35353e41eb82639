/** What a task costs in the memory of a coordinator, and in a checkpoint. */
import type { Result, Setting, Workload } from "../workload.ts";
import type { HolderContract, Measured, MeasuredState } from "./contract.ts";

const SIZES = [10_000, 100_000, 1_000_000];
const STATES: readonly MeasuredState[] = ["waiting", "ready", "settled"];
const DIGITS = 1;

type Row = { readonly tasks: number; readonly state: MeasuredState; readonly measured: Measured };

export const memory: Workload = {
  name: "memory",
  summary:
    "bytes of a waiting, a ready and a settled task in a coordinator, and what a checkpoint of them takes",
  defaultCount: 1_000_000,
  async run(setting) {
    const rows: Row[] = [];
    for (const tasks of SIZES) {
      if (tasks > setting.amounts.count) continue;
      for (const state of STATES) rows.push({ tasks, state, measured: await measure(setting, state, tasks) });
    }
    return resultOf(rows);
  },
};

async function measure(setting: Setting, state: MeasuredState, tasks: number): Promise<Measured> {
  setting.say(`${tasks} ${state} tasks`);
  const holder = await setting.startChild<HolderContract>(new URL("./holder.ts", import.meta.url));
  const measured = await holder.ask("measure", { state, tasks });
  await holder.stop();
  return measured;
}

function resultOf(rows: readonly Row[]): Result {
  return {
    figures: {
      states: rows.map(({ tasks, state, measured }) => ({
        tasks,
        state,
        bytes_per_task: rounded(measured.bytesPerTask),
        decoded_bytes_per_task: rounded(measured.decodedBytesPerTask),
        checkpoint_bytes_per_task: rounded(measured.encodedBytesPerTask),
        fold_ms: rounded(measured.foldMs),
        encode_ms: rounded(measured.encodeMs),
        decode_ms: rounded(measured.decodeMs),
      })),
    },
    table: {
      head: ["state", "tasks", "bytes", "bytes decoded", "checkpoint", "encode ms", "decode ms"],
      rows: rows.map(({ tasks, state, measured }) => [
        state,
        String(tasks),
        ...[
          measured.bytesPerTask,
          measured.decodedBytesPerTask,
          measured.encodedBytesPerTask,
          measured.encodeMs,
          measured.decodeMs,
        ].map((value) => value.toFixed(DIGITS)),
      ]),
    },
    notes: ["Bytes are per task, after a collection of garbage; a waiting task waits for one or two others."],
  };
}

function rounded(value: number): number {
  return Number(value.toFixed(DIGITS));
}
