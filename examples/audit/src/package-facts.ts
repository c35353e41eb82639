/** What a package says of itself in its package.json. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { absolutePathOf, type PackageDir } from "./find-packages.ts";

export type PackageFacts = {
  readonly name: string;
  readonly version: string;
  /** The licence that it names, as it names it; null where it names none. */
  readonly declared: string | null;
};

const TEXT_LENGTH_MAX = 200;
const UNKNOWN_VERSION = "?";

export async function readPackageFacts(dir: PackageDir): Promise<PackageFacts> {
  return packageFactsOf(await readFile(join(absolutePathOf(dir), "package.json"), "utf8"), dir.path);
}

/** A package.json that is none, or that lacks what it must have, is a finding of an audit and not the end of it. */
export function packageFactsOf(text: string, path: string): PackageFacts {
  const manifest = manifestOf(text);
  return {
    name: textOf(manifest.name) ?? nameInPath(path),
    version: textOf(manifest.version) ?? UNKNOWN_VERSION,
    declared: licenceOf(manifest.license) ?? licenceOf(manifest.licenses),
  };
}

type Manifest = Readonly<Record<"name" | "version" | "license" | "licenses", unknown>>;

function manifestOf(text: string): Manifest {
  let content: unknown = null;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    // Told by what is then missing.
  }
  const read = (key: string): unknown => (isObject(content) ? content[key] : undefined);
  return {
    name: read("name"),
    version: read("version"),
    license: read("license"),
    licenses: read("licenses"),
  };
}

/** Today's form is a text; older ones are `{ type, url }` and a list of these. */
function licenceOf(value: unknown): string | null {
  if (Array.isArray(value)) {
    const each = value.flatMap((item) => licenceOf(item) ?? []);
    return each.length === 0 ? null : textOf(each.join(" OR "));
  }
  return textOf(isObject(value) ? value.type : value);
}

function textOf(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const text = value.trim().slice(0, TEXT_LENGTH_MAX);
  return text === "" ? null : text;
}

function nameInPath(path: string): string {
  const parts = path.split("/");
  const last = parts.at(-1) ?? path;
  const scope = parts.at(-2);
  return scope?.startsWith("@") === true ? `${scope}/${last}` : last;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
