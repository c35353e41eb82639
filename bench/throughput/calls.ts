/** Submits as a client does that waits for its acknowledgements: with many calls on their way, but not all at once. */
import type { Order, Stopwatch } from "./contract.ts";

export type SubmitOptions = {
  readonly order: Order;
  readonly watch: Stopwatch;
  /** Calls that wait for their answer at once. */
  readonly callsMax: number;
  /** One call, for the tasks from the first index to the one before the end. */
  readonly call: (first: number, end: number) => Promise<unknown>;
};

export async function submitAll({ order, watch, callsMax, call }: SubmitOptions): Promise<void> {
  const { count, perCall, unsettledMax } = order;
  const calls = new Set<Promise<unknown>>();
  for (let first = 0; first < count; first += perCall) {
    const end = Math.min(count, first + perCall);
    await watch.room(end - first, unsettledMax);
    for (let index = first; index < end; index++) watch.submit(index);
    const answered: Promise<unknown> = call(first, end).then(() => calls.delete(answered));
    calls.add(answered);
    if (calls.size >= callsMax) await Promise.race(calls);
  }
  await Promise.all(calls);
}
