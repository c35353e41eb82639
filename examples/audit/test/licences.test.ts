import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { idsIn, tidied } from "../src/licence-expression.ts";
import { licenceFindingOf } from "../src/licence-finding.ts";
import { licencesIn } from "../src/licence-text.ts";

const folder = new URL("../licences/", import.meta.url);
const textOf = (file: string): string => readFileSync(new URL(file, folder), "utf8");
const files = readdirSync(folder);

describe("a licence's text", () => {
  test.each(files)("%s is known for what it is", (file) => {
    const [id = ""] = file.replace(/\.txt$/, "").split("_");
    expect(licencesIn(textOf(file)).map((match) => match.id)).toEqual([id]);
  });

  test("is known however it is set, with a notice in front of it", () => {
    const shouted = `Copyright 2020 Somebody\n\n${textOf("MIT.txt").toUpperCase().replace(/\s+/g, "\n  * ")}`;
    expect(licencesIn(shouted).map(({ id }) => id)).toEqual(["MIT"]);
  });

  test("with another below it gives both, in their order", () => {
    const both = `${textOf("BSD-3-Clause.txt")}\n\nBundled:\n\n${textOf("Apache-2.0.txt")}`;
    expect(licencesIn(both).map(({ id }) => id)).toEqual(["BSD-3-Clause", "Apache-2.0"]);
  });

  test("that is none of the known ones gives none", () => {
    expect(licencesIn("You may do with this whatever your lawyer lets you do.")).toEqual([]);
    expect(licencesIn("")).toEqual([]);
  });
});

describe("an expression", () => {
  test.each([
    ["MIT", ["MIT"]],
    ["(MIT OR Apache-2.0)", ["MIT", "Apache-2.0"]],
    ["GPL-2.0-only WITH Classpath-exception-2.0", ["GPL-2.0"]],
    ["LGPL-3.0+ AND (MIT OR ISC)", ["LGPL-3.0", "MIT", "ISC"]],
    ["Apache License, Version 2.0", ["Apache-2.0"]],
    ["SEE LICENSE IN LICENSE.txt", []],
    ["UNLICENSED", []],
    ["", []],
  ])("%j names %j", (expression, ids) => expect(idsIn(expression)).toEqual(ids));

  test("is tidied into its usual form", () => expect(tidied(" (The MIT License) ")).toBe("MIT"));
});

describe("a finding", () => {
  const facts = { name: "a", version: "1.0.0" };
  const text = { file: "LICENSE", text: textOf("MIT.txt") };
  test.each([
    ["MIT", [text], "agrees", "MIT"],
    ["MIT OR Apache-2.0", [text], "agrees", "MIT OR Apache-2.0"],
    ["ISC", [text], "differs", "MIT"],
    [null, [text], "undeclared", "MIT"],
    ["ISC", [], "no-text", "ISC"],
    ["ISC", [{ file: "LICENSE", text: "something else" }], "unrecognised", "ISC"],
    [null, [], "nothing", "unknown"],
  ])("%j with %# texts", (declared, texts, verdict, licence) => {
    expect(licenceFindingOf({ ...facts, declared }, texts)).toMatchObject({ verdict, licence });
  });
});
