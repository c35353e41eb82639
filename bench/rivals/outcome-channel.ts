/**
 * How the worker of a rival on PostgreSQL tells its client of outcomes, as the rival has no way of its own: what
 * ends in one turn, or while the notification before is on its way, goes into one NOTIFY.
 */
import pg from "pg";

const CHANNEL = "bench_outcomes";
/** Below the 8,000 bytes that a notification takes at most. */
const PER_NOTE = 1_000;

type Outcomes = {
  /** @param index Of the task. */
  readonly tell: (index: number) => void;
  readonly close: () => Promise<void>;
};

export async function openOutcomes(url: string): Promise<Outcomes> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let waiting: number[] = [];
  let isSending = false;
  const send = async (): Promise<void> => {
    while (waiting.length > 0) {
      const note = waiting.slice(0, PER_NOTE).join(" ");
      waiting = waiting.slice(PER_NOTE);
      await client.query("SELECT pg_notify($1, $2)", [CHANNEL, note]);
    }
    isSending = false;
  };
  return {
    tell(index) {
      waiting.push(index);
      if (isSending) return;
      isSending = true;
      setImmediate(() => send().catch(console.error));
    },
    close: () => client.end(),
  };
}

/** Calls `onOutcome` with the index of each task that ended, until it is closed. */
export async function listenForOutcomes(
  url: string,
  onOutcome: (index: number) => void,
): Promise<{ readonly close: () => Promise<void> }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  client.on("notification", ({ payload }) => {
    for (const index of (payload ?? "").split(" ")) onOutcome(Number(index));
  });
  await client.query(`LISTEN ${CHANNEL}`);
  return { close: () => client.end() };
}
