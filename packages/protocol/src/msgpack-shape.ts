/**
 * Walks MessagePack bytes without building anything and without recursion: are all lengths inside the bytes, is the
 * nesting bounded, is the number of nodes bounded, are the extensions those that Weft writes, does it end where the bytes
 * end? What passes can be decoded without overflowing a stack and without allocating more than a small multiple of its
 * length. Other extensions of msgpackr read on behind their own end, which no count of nodes would see.
 */
export type ShapeLimits = { readonly depthMax: number; readonly nodesMax: number };

/** Null where the bytes are sound, else what is wrong. */
export function checkMsgpack(bytes: Uint8Array, limits: ShapeLimits): string | null {
  const end = endOfMsgpack(bytes, 0, limits);
  if (typeof end === "string") return end;
  return end === bytes.length ? null : "bytes after the end";
}

/** Behind the value that begins at `start`, or what is wrong with it. */
export function endOfMsgpack(bytes: Uint8Array, start: number, limits: ShapeLimits): number | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const left: number[] = [1];
  let at = start;
  let nodes = 0;
  while (left.length > 0) {
    const top = left.length - 1;
    const remaining = left[top] ?? 0;
    if (remaining === 0) {
      left.pop();
      continue;
    }
    left[top] = remaining - 1;
    if (++nodes > limits.nodesMax) return `more than ${limits.nodesMax} nodes`;
    if (at >= bytes.length) return "truncated";
    const head = headOf(view, at);
    if (head === null) return `unknown type or truncated at byte ${at}`;
    at += head.bytes;
    if (at > bytes.length) return "truncated";
    if (head.children > 0) {
      if (head.children > bytes.length - at) return "a count beyond the end";
      if (left.length > limits.depthMax) return `nested deeper than ${limits.depthMax}`;
      left.push(head.children);
    }
  }
  return at;
}

/** Nothing, a bigint of more than 64 bits, a typed array, a time. */
const EXTENSIONS: ReadonlySet<number> = new Set([0x00, 0x42, 0x74, 0xff]);

type Head = { bytes: number; children: number };
const head: Head = { bytes: 0, children: 0 };

function of(bytes: number, children = 0): Head {
  head.bytes = bytes;
  head.children = children;
  return head;
}

function headOf(view: DataView, at: number): Head | null {
  const type = view.getUint8(at);
  if (type <= 0x7f || type >= 0xe0) return of(1);
  if (type <= 0x8f) return of(1, (type & 0x0f) * 2);
  if (type <= 0x9f) return of(1, type & 0x0f);
  if (type <= 0xbf) return of(1 + (type & 0x1f));
  if (type === 0xc0 || type === 0xc2 || type === 0xc3) return of(1);
  if (type === 0xc1) return null;
  const room = view.byteLength - at - 1;
  const fixed = FIXED[type];
  if (fixed !== undefined) return type < 0xd4 || knowsExtension(view, at + 1) ? of(fixed) : null;
  const width = WIDTH[type];
  if (width === undefined || room < width) return null;
  const length =
    width === 1 ? view.getUint8(at + 1) : width === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1);
  switch (type) {
    case 0xdc:
    case 0xdd:
      return of(1 + width, length);
    case 0xde:
    case 0xdf:
      return of(1 + width, length * 2);
    case 0xc7:
    case 0xc8:
    case 0xc9:
      return knowsExtension(view, at + 1 + width) ? of(2 + width + length) : null;
    default:
      return of(1 + width + length);
  }
}

function knowsExtension(view: DataView, at: number): boolean {
  return at < view.byteLength && EXTENSIONS.has(view.getUint8(at));
}

/** Whole sizes of the types of fixed size: floats, integers, fixext. */
const FIXED: Readonly<Record<number, number>> = {
  202: 5,
  203: 9,
  204: 2,
  205: 3,
  206: 5,
  207: 9,
  208: 2,
  209: 3,
  210: 5,
  211: 9,
  212: 3,
  213: 4,
  214: 6,
  215: 10,
  216: 18,
};
/** Bytes of the length that follows the type: bin, ext, str, array, map. */
const WIDTH: Readonly<Record<number, number>> = {
  196: 1,
  197: 2,
  198: 4,
  199: 1,
  200: 2,
  201: 4,
  217: 1,
  218: 2,
  219: 4,
  220: 2,
  221: 4,
  222: 2,
  223: 4,
};
