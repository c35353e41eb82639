/** How tasks are submitted. */
import type { Order } from "./contract.ts";

export const SHAPES = [
  { name: "single", bytes: 100, perCall: 1, share: 1 },
  { name: "bulk_100", bytes: 100, perCall: 100, share: 1 },
  { name: "single_10kb", bytes: 10_000, perCall: 1, share: 0.2 },
] as const satisfies readonly Shape[];

/** `share`: of the tasks of a round, so that each shape takes about as long. */
type Shape = Omit<Order, "count"> & { readonly name: string; readonly share: number };
export type ShapeName = (typeof SHAPES)[number]["name"];

export function orderOf(name: ShapeName, tasks: number): Order {
  const { bytes, perCall, share } = SHAPES.find((each) => each.name === name) ?? SHAPES[0];
  return { bytes, perCall, count: Math.max(perCall, Math.round(tasks * share)) };
}
