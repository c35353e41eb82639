/**
 * An object with everything that hangs on it as a stream of bytes, and back onto a fresh one of the same class. It knows
 * no field by name, so that none can be forgotten: what two fields share is one thing afterwards as well.
 *
 * G1 No recursion over data: chains of tasks are longer than any stack.
 * G2 A class instance is found again where the fresh object has one at the same place; one that stands somewhere else is
 *    refused when it is written. Functions stay those of the fresh object.
 */
import { deserialize, serialize } from "node:v8";
import { DefectError } from "@weft/protocol";

/** The version of these bytes. */
export const GRAPH_FORMAT = 2;

const KINDS = ["object", "instance", "array", "map", "set"] as const;
type Kind = (typeof KINDS)[number];
/** A primitive or typed array stands for itself; a bigint for anything else: the number of its row, and its kind. */
type Cell = unknown;
/** Rows one after another: the shape (the number of its keys' list, -1 where it has none), how many cells, the cells. */
type Chunk = { readonly shapes: readonly (readonly string[])[]; readonly rows: readonly Cell[] };

const CHUNK_CELLS = 50_000;
const COLUMN_BYTES = 4 * 1024 * 1024;
const PIECE_BYTES_MAX = 768 * 1024;
const KIND_BITS = 3n;
const KIND_MASK = 7n;

export function* encodeGraph(root: object, omit: ReadonlySet<string>): Generator<Uint8Array> {
  const table = new Table(root, omit);
  while (table.hasMore) {
    const chunk = table.take(CHUNK_CELLS);
    yield* pieces(chunk);
  }
}

class Table {
  private readonly rows: Map<object, number>;
  private readonly queue: object[];
  private readonly omit: ReadonlySet<string>;
  private readonly shapes = new Map<string, number>();
  private next = 0;
  private newShapes: (readonly string[])[] = [];
  private cells: Cell[] = [];
  /** Of typed arrays in the chunk at hand: each is one cell, and may be long. */
  private columnBytes = 0;

  constructor(root: object, omit: ReadonlySet<string>) {
    this.rows = new Map([[root, 0]]);
    this.queue = [root];
    this.omit = omit;
  }

  get hasMore(): boolean {
    return this.next < this.queue.length;
  }

  take(cellsMax: number): Chunk {
    this.newShapes = [];
    this.cells = [];
    this.columnBytes = 0;
    while (this.hasMore && this.cells.length < cellsMax && this.columnBytes < COLUMN_BYTES) {
      const at = this.queue[this.next] as object;
      // Not needed any more: a long queue would else hold all of it twice.
      this.queue[this.next] = NOTHING;
      this.add(at, this.next === 0 ? this.omit : NOTHING);
      this.next++;
    }
    return { shapes: this.newShapes, rows: this.cells };
  }

  private add(at: object, omit: ReadonlySet<string>): void {
    const kind = kindOf(at);
    if (at instanceof Map) {
      this.cells.push(-1, at.size * 2);
      for (const [key, value] of at) this.cells.push(this.cellOf(key, kind), this.cellOf(value, kind));
    } else if (Array.isArray(at) || at instanceof Set) {
      this.cells.push(-1, Array.isArray(at) ? at.length : at.size);
      for (const each of at) this.cells.push(this.cellOf(each, kind));
    } else {
      const fields = at as Record<string, unknown>;
      const keys = Object.keys(fields).filter(
        (key) => !omit.has(key) && !(kind === "instance" && typeof fields[key] === "function"),
      );
      this.cells.push(this.shapeOf(keys), keys.length);
      for (const key of keys) this.cells.push(this.cellOf(fields[key], kind));
    }
  }

  private shapeOf(keys: readonly string[]): number {
    const name = JSON.stringify(keys);
    let shape = this.shapes.get(name);
    if (shape === undefined) {
      shape = this.shapes.size;
      this.shapes.set(name, shape);
      this.newShapes.push(keys);
    }
    return shape;
  }

  private cellOf(value: unknown, parent: Kind): Cell {
    if (typeof value === "function" || typeof value === "symbol" || typeof value === "bigint")
      throw new DefectError(`a ${typeof value} cannot be part of a checkpoint`);
    // An engine may hold a whole number as a double, and would write it as one: the bytes must not hang on that.
    if (typeof value === "number") return Object.is(value | 0, value) ? value | 0 : value;
    if (typeof value !== "object" || value === null) return value;
    if (ArrayBuffer.isView(value)) {
      this.columnBytes += value.byteLength;
      return value;
    }
    const kind = kindOf(value);
    let row = this.rows.get(value);
    if (row === undefined) {
      if (kind === "instance" && parent !== "instance")
        throw new DefectError(`a ${value.constructor.name} cannot be part of a checkpoint inside of data`);
      row = this.rows.size;
      this.rows.set(value, row);
      this.queue.push(value);
    }
    return (BigInt(row) << KIND_BITS) | BigInt(KINDS.indexOf(kind));
  }
}

const NOTHING: ReadonlySet<string> = new Set();

function kindOf(value: object): Kind {
  if (Array.isArray(value)) return "array";
  if (value instanceof Map) return "map";
  if (value instanceof Set) return "set";
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? "object" : "instance";
}

/** A chunk of rows may be too long for one message: the first byte of each piece says whether it is the last one. */
function* pieces(chunk: Chunk): Generator<Uint8Array> {
  const bytes = serialize(chunk);
  for (let from = 0; from < bytes.length; from += PIECE_BYTES_MAX) {
    const piece = bytes.subarray(from, from + PIECE_BYTES_MAX);
    yield Buffer.concat([Uint8Array.of(from + PIECE_BYTES_MAX >= bytes.length ? 1 : 0), piece]);
  }
}

/** Takes the pieces in order, and fills the fresh object with them. */
export class GraphDecoder<Root extends object> {
  private readonly root: Root;
  /** What was referred to so far; the first of them are filled. */
  private readonly objects: object[];
  private filled = 0;
  private readonly shapes: (readonly string[])[] = [];
  private pieces: Uint8Array[] = [];

  constructor(fresh: Root) {
    this.root = fresh;
    this.objects = [fresh];
  }

  push(piece: Uint8Array): void {
    this.pieces.push(piece.subarray(1));
    if (piece[0] !== 1) return;
    const { shapes, rows } = deserialize(Buffer.concat(this.pieces)) as Chunk;
    this.pieces = [];
    this.shapes.push(...shapes);
    for (let at = 0; at < rows.length; ) {
      const end = at + 2 + Number(rows[at + 1]);
      this.fill(this.shapes[Number(rows[at])] ?? [], rows.slice(at + 2, end));
      at = end;
    }
  }

  done(): Root {
    if (this.pieces.length > 0 || this.filled !== this.objects.length)
      throw new DefectError("a checkpoint ends in the middle");
    return this.root;
  }

  private fill(keys: readonly string[], cells: readonly Cell[]): void {
    const at = this.objects[this.filled++];
    if (at === undefined) throw new DefectError("a checkpoint has a row that nothing refers to");
    if (Array.isArray(at)) for (const cell of cells) at.push(this.valueOf(cell, undefined));
    else if (at instanceof Set) for (const cell of cells) at.add(this.valueOf(cell, undefined));
    else if (at instanceof Map)
      for (let i = 0; i < cells.length; i += 2)
        at.set(this.valueOf(cells[i], undefined), this.valueOf(cells[i + 1], undefined));
    else {
      const fields = at as Record<string, unknown>;
      for (const [i, key] of keys.entries()) {
        // Own fields of the fresh object only: never what a prototype has.
        const before = Object.hasOwn(fields, key) ? fields[key] : undefined;
        fields[key] = this.valueOf(cells[i], before);
      }
    }
  }

  private valueOf(cell: Cell, before: unknown): unknown {
    if (typeof cell !== "bigint") return cell;
    const row = Number(cell >> KIND_BITS);
    const known = this.objects[row];
    if (known !== undefined) return known;
    if (row !== this.objects.length) throw new DefectError("a checkpoint refers to a row that it skipped");
    const made = empty(KINDS[Number(cell & KIND_MASK)] ?? "object", before);
    this.objects.push(made);
    return made;
  }
}

/** Where the fresh object has one of the kind already it is used: others may hold it too. */
function empty(kind: Kind, before: unknown): object {
  const kept = typeof before === "object" && before !== null && kindOf(before) === kind ? before : null;
  switch (kind) {
    case "instance":
      if (kept === null) throw new DefectError("a checkpoint has an instance where this version has none");
      return kept;
    case "map": {
      if (!(kept instanceof Map)) return new Map();
      kept.clear();
      return kept;
    }
    case "set": {
      if (!(kept instanceof Set)) return new Set();
      kept.clear();
      return kept;
    }
    case "array": {
      if (!Array.isArray(kept)) return [];
      kept.length = 0;
      return kept;
    }
    case "object":
      return {};
    default:
      throw new DefectError("a checkpoint has a kind that this version does not know");
  }
}
