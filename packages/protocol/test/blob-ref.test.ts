/** References to large values: what they say, and that nothing else is taken for one. */
import {
  BlobId,
  type BlobRef,
  chunkCountOf,
  decodeBlobRef,
  decodeValue,
  EncodingError,
  encodeBlobRef,
  encodeValue,
  Identity,
  isBlobRef,
  Namespace,
  Subjects,
  TaskId,
  VALUE_BYTES_MAX,
} from "@weft/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, identity, taskId } from "./arbitraries.ts";

const HOUR_MS = 3_600_000;
const task = TaskId.parse(`00aaaa${"x".repeat(16)}`);
const token = (length: number): string => "t".repeat(length);
const sound: BlobRef = {
  identity: Identity.parse("client"),
  id: BlobId.create({ task, attempt: null }, 490_000 * HOUR_MS, token),
  bytes: 300_000,
  chunkBytes: 100_000,
  digest: new Uint8Array(32).fill(7),
};

test("a reference is what it was when it has travelled, and says of whose task it is", () => {
  fc.assert(
    fc.property(
      identity,
      taskId,
      fc.option(fc.nat(), { nil: null }),
      fc.integer({ min: 1, max: VALUE_BYTES_MAX }),
      (by, of, attempt, size) => {
        const id = BlobId.create({ task: of, attempt }, 490_000 * HOUR_MS + 5, token);
        const ref = { ...sound, identity: by, id, bytes: size };
        expect(decodeBlobRef(encodeBlobRef(ref))).toEqual(ref);
        expect(BlobId.read(id)).toEqual({ task: of, attempt, hourMs: 490_000 * HOUR_MS });
        const subject = new Subjects(Namespace.parse("n")).blobChunk(0, ref, 3);
        expect(new Subjects(Namespace.parse("n")).parseBlobChunk(0, subject)).toEqual({ identity: by, id });
      },
    ),
  );
});

test("no value is taken for a reference, and no reference for a value", () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      try {
        expect(isBlobRef(encodeValue(value, "it"))).toBe(false);
      } catch (error) {
        expect(error).toBeInstanceOf(EncodingError);
      }
    }),
  );
  expect(() => decodeValue(encodeBlobRef(sound))).toThrow(EncodingError);
});

test("anybody's bytes are no reference, or one with a size that a value may have", () => {
  fc.assert(
    fc.property(bytes, (junk) => {
      const ref = decodeBlobRef(Uint8Array.of(0xc1, ...junk));
      if (ref !== null) expect(chunkCountOf(ref)).toBeGreaterThan(0);
    }),
  );
  for (const wrong of [
    { bytes: VALUE_BYTES_MAX + 1 },
    { bytes: 0 },
    { chunkBytes: 0 },
    { bytes: VALUE_BYTES_MAX, chunkBytes: 1 },
    { digest: new Uint8Array(31) },
    { id: `${task}-b-0000tttttttttt` as BlobId },
    { identity: "two.tokens" as Identity },
  ])
    expect(decodeBlobRef(encodeBlobRef({ ...sound, ...wrong }))).toBeNull();
});
