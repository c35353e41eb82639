/** One field of what JSON.parse gave; undefined where there is none. */
export function jsonField(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
