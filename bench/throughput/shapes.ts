/** How tasks are submitted. */
import type { Order } from "./contract.ts";

export const SHAPES = [
  { name: "single", bytes: 100, perCall: 1, share: 1, unsettledMax: null },
  { name: "bulk_100", bytes: 100, perCall: 100, share: 1, unsettledMax: null },
  { name: "single_10kb", bytes: 10_000, perCall: 1, share: 0.2, unsettledMax: null },
  { name: "unsettled_1000", bytes: 100, perCall: 1, share: 1, unsettledMax: 1_000 },
] as const satisfies readonly Shape[];

/** `share`: of the tasks of a round, so that each shape takes about as long. */
type Shape = Omit<Order, "count"> & { readonly name: string; readonly share: number };
export type ShapeName = (typeof SHAPES)[number]["name"];

export function orderOf(name: ShapeName, tasks: number): Order {
  const { bytes, perCall, share, unsettledMax } = SHAPES.find((each) => each.name === name) ?? SHAPES[0];
  return { bytes, perCall, unsettledMax, count: Math.max(perCall, Math.round(tasks * share)) };
}
