/**
 * When a thread is given its next attempt while it runs one, so that it goes on at once when that ends. Pure.
 *
 * H1 Only behind code that is expected to end soon, by what ran there last and by how long it has run.
 */

/** An attempt that waits behind code that runs for longer is taken back as soon as another thread could have it. */
const AHEAD_MS = 50;

export type Running = {
  /** How long the code took that ran there before; null where none did. */
  readonly lastMs: number | null;
  readonly runsForMs: number;
};

export function endsSoon({ lastMs, runsForMs }: Running): boolean {
  return lastMs !== null && lastMs <= AHEAD_MS && runsForMs <= AHEAD_MS;
}
