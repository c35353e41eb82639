import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { duplicatesOf } from "../src/duplicates.ts";
import { pathsOfPackages } from "../src/find-packages.ts";
import { digestOf } from "../src/package-digest.ts";
import { packageFactsOf } from "../src/package-facts.ts";
import { filesOf, sizeOf } from "../src/package-files.ts";
import { bytesText, countText } from "../src/quantity.ts";
import { compareVersions } from "../src/version-order.ts";
import { auditFixture, installFixture } from "./audit-fixture.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "weft-audit-"));
  await installFixture(root, await auditFixture());
  await symlink(join(root, "node_modules", "plain"), join(root, "node_modules", "linked"));
});
afterAll(() => rm(root, { recursive: true }));

test("packages are found all the way down, links and folders without package.json are not", async () => {
  const fractions: number[] = [];
  const paths = await pathsOfPackages(join(root, "node_modules"), (fraction) => fractions.push(fraction));
  expect(paths).toEqual(["@scope/differs", "broken", "nasty", "plain", "plain/node_modules/twice", "twice"]);
  expect(fractions.at(-1)).toBe(1);
  expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  await expect(pathsOfPackages(join(root, "nowhere"))).rejects.toThrow("ENOENT");
});

describe("the files of a package", () => {
  test("are its own, not those of packages within it", () => {
    const files = filesOf(join(root, "node_modules", "plain"));
    expect(files.map(({ path }) => path)).toEqual(["LICENSE", "index.js", "package.json"]);
    expect(sizeOf(files)).toMatchObject({ files: 3, largest: { path: "LICENSE" } });
    expect(sizeOf([])).toEqual({ files: 0, bytes: 0, largest: null });
  });

  test("have a digest that any change of a name or content changes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "weft-digest-"));
    const digest = async (): Promise<string> => (await digestOf(folder, filesOf(folder))).sha256;
    await writeFile(join(folder, "a"), "1");
    const first = await digest();
    expect(await digest()).toBe(first);
    await writeFile(join(folder, "a"), "2");
    const second = await digest();
    await rm(join(folder, "a"));
    await writeFile(join(folder, "b"), "1");
    expect(new Set([first, second, await digest()]).size).toBe(3);
    await rm(folder, { recursive: true });
  });
});

test("a package.json that lacks what it must have is a finding, not a failure", () => {
  expect(packageFactsOf("{ no", "x/node_modules/@scope/name")).toEqual({
    name: "@scope/name",
    version: "?",
    declared: null,
  });
  const old = JSON.stringify({ name: "a", version: "1.0.0", licenses: [{ type: "MIT" }, { type: "BSD" }] });
  expect(packageFactsOf(`\uFEFF${old}`, "a").declared).toBe("MIT OR BSD");
});

test("versions are in the order of semver", () => {
  const ordered = [
    "0.9.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.2.0",
    "1.10.0",
  ];
  expect(ordered.toSorted(compareVersions)).toEqual(ordered);
  expect(ordered.toReversed().toSorted(compareVersions)).toEqual(ordered);
  const version = fc.stringMatching(/^\d{1,2}\.\d{1,2}\.\d{1,2}(-[a-z\d]{1,3}(\.\d)?)?$/);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});

test("a package in several versions or copies is a duplicate", () => {
  const of = (name: string, version: string) => ({ name, version, declared: null });
  const facts = [of("a", "1.0.0"), of("a", "2.0.0"), of("b", "1.0.0"), of("c", "1.0.0"), of("c", "1.0.0")];
  const digests = ["1", "2", "3", "4", "4"].map((sha256) => ({ sha256, files: 1 }));
  const sizes = [10, 20, 30, 40, 40].map((bytes) => ({ files: 1, bytes, largest: null }));
  expect(duplicatesOf({ facts, digests, sizes })).toEqual([
    {
      name: "c",
      extraBytes: 40,
      versions: [{ version: "1.0.0", packages: [3, 4], bytes: 80, identical: true }],
    },
    {
      name: "a",
      extraBytes: 10,
      versions: [
        { version: "1.0.0", packages: [0], bytes: 10, identical: true },
        { version: "2.0.0", packages: [1], bytes: 20, identical: true },
      ],
    },
  ]);
});

test("quantities are the same on every machine", () => {
  expect([0, 999, 1_000, 1_234_567].map(countText)).toEqual(["0", "999", "1,000", "1,234,567"]);
  expect([0, 999, 1_000, 999_950, 574_500_000].map(bytesText)).toEqual([
    "0 B",
    "999 B",
    "1.0 KB",
    "1.0 MB",
    "574.5 MB",
  ]);
});
