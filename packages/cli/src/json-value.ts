/** Results as JSON. A result may hold what JSON has no form for: bytes become base64, large integers text. */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value ?? null, replace, indent);
}

// What has a toJSON arrives here in its JSON form already; the original is in `this`.
function replace(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  const original: unknown = typeof this === "object" && this !== null ? Reflect.get(this, key) : value;
  if (original instanceof Uint8Array) return Buffer.from(original).toString("base64");
  return value;
}
