import { expect, test } from "vitest";
import { toJson } from "../src/json-value.ts";
import { oneLine, printable } from "../src/output.ts";
import { textTable } from "../src/text-table.ts";

test("text of others cannot control the terminal", () => {
  expect(printable("a\u001b[2Jb\u009bc\n")).toBe("a\ufffd[2Jb\ufffdc\n");
  expect(oneLine("a\r\n\tb\u0007")).toBe("a b\ufffd");
});

test("a table is as wide as it needs to be and cuts nothing off", () => {
  expect(
    textTable([
      ["ID", "NAME"],
      ["0123456789", "a\nb"],
      ["1", ""],
    ]),
  ).toEqual(["ID          NAME", "0123456789  a b", "1"]);
});

test("a result has a JSON form whatever it holds", () => {
  const value = { big: 10n ** 20n, bytes: Uint8Array.of(1, 2), at: new Date(0), none: undefined };
  expect(JSON.parse(toJson(value))).toEqual({
    big: "100000000000000000000",
    bytes: "AQI=",
    at: "1970-01-01T00:00:00.000Z",
  });
  expect(toJson(undefined)).toBe("null");
});
