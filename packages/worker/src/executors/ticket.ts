/**
 * Which job a thread may begin as soon as it has ended the one that it runs. Worker and thread share it, so that a job that
 * waits can be taken back at once, whatever the thread does: it goes to the one of the two that takes it first.
 */

/** Numbers of jobs, 0 for none: of the one that waits, and of one that the thread may begin for good, and has not yet. */
export type TicketMemory = Int32Array<SharedArrayBuffer>;

const WAITS = 0;
const FOR_GOOD = 1;

export function ticketMemory(): TicketMemory {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** The worker: the job waits. */
export function giveTicket(memory: TicketMemory, job: number): void {
  Atomics.store(memory, WAITS, job);
}

/** The worker: takes it back. False where the thread has begun the job. */
export function takeTicket(memory: TicketMemory, job: number): boolean {
  return Atomics.compareExchange(memory, WAITS, job, 0) === job;
}

/**
 * The worker: what the thread ran before has ended, so it begins this one, even if the message of it is still on its way.
 * Another may wait from now on. Never in neither place meanwhile, where the thread would not find it.
 */
export function keepTicket(memory: TicketMemory, job: number): void {
  Atomics.store(memory, FOR_GOOD, job);
  if (!takeTicket(memory, job)) Atomics.store(memory, FOR_GOOD, 0);
}

/** The thread: whether it may begin the job. */
export function useTicket(memory: TicketMemory, job: number): boolean {
  return takeTicket(memory, job) || Atomics.compareExchange(memory, FOR_GOOD, job, 0) === job;
}
