/**
 * The limit of a graph: the bytes of its tasks through the same server in the same three processes, with nothing of Weft in
 * between. Of the graph only the levels are left, which run one after the other: how many tasks each has.
 */

/** What Weft's records take of a task, of each dependency of it, and of a finish. */
export const TASK_BYTES = 40;
export const DEPENDENCY_BYTES = 18;
export const FINISH_BYTES = 32;

const WORD_BYTES = 4;

/** To worker and client: how many tasks it is about, and their bytes. */
export function messageOf(tasks: number, bytes: number): Uint8Array {
  const message = new Uint8Array(WORD_BYTES + bytes);
  new DataView(message.buffer).setUint32(0, tasks);
  return message;
}

export function tasksIn(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0);
}

export type Submission = {
  readonly tasks: number;
  readonly bytesEach: number;
  /** Of the whole graph, in its first record; in those behind it there are none. */
  readonly levels: readonly number[];
};

export function submissionOf({ tasks, bytesEach, levels }: Submission): Uint8Array {
  const words = [tasks, bytesEach, levels.length, ...levels];
  const record = new Uint8Array(words.length * WORD_BYTES + tasks * bytesEach);
  const view = new DataView(record.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * WORD_BYTES, word);
  return record;
}

export function submissionIn(record: Uint8Array): Submission {
  const view = new DataView(record.buffer, record.byteOffset);
  const at = (index: number): number => view.getUint32(index * WORD_BYTES);
  return {
    tasks: at(0),
    bytesEach: at(1),
    levels: Array.from({ length: at(2) }, (_, index) => at(3 + index)),
  };
}
