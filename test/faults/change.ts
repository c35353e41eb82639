/** Where the time of a change of leaders went. */
import type { Arena } from "./arena.ts";
import type { Probe } from "./fault.ts";

export type ChangeOptions = {
  readonly what: "failover" | "handover";
  /** When the leader was killed or asked to stop. */
  readonly sinceMs: number;
  /** The task that was run by the next one. */
  readonly probe: Probe;
  readonly isCalm: () => boolean;
};

export function takeChange(
  { observer, measures }: Arena,
  { what, sinceMs, probe, isCalm }: ChangeOptions,
): void {
  const { resignedAtMs, stoodAtMs, ledAtMs } = observer.change;
  // What was not heard of, as the observer's own node was away, cannot be told apart.
  if (stoodAtMs < sinceMs || probe.begunAtMs < ledAtMs) return;
  const calm = isCalm();
  const hasResigned = what === "handover" && resignedAtMs > sinceMs;
  if (hasResigned) measures.add("handover_resign", resignedAtMs - sinceMs, calm);
  measures.add(`${what}_stand`, stoodAtMs - (hasResigned ? resignedAtMs : sinceMs), calm);
  measures.add(`${what}_election`, ledAtMs - stoodAtMs, calm);
  measures.add(`${what}_begin`, probe.begunAtMs - ledAtMs, calm);
  measures.add(`${what}_result`, probe.toldAtMs - probe.begunAtMs, calm);
}
