/** Reads the names of licences as packages write them: SPDX expressions, and the usual loose forms of them. */

const LOOSE = new Map(
  Object.entries({
    apache2: "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache v2": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "mit license": "MIT",
    "mit/x11": "MIT",
    "mpl 2.0": "MPL-2.0",
    "the mit license": "MIT",
    psf: "Python-2.0",
  }),
);

/** Such as `UNLICENSED` and `SEE LICENSE IN file`: these name no licence. */
const NO_LICENCE = /^(?:unlicensed|none|see licen[cs]e\b.*|custom)$/i;

/** The expression without the brackets around the whole of it, and in its usual form where it is a loose one. */
export function tidied(expression: string): string {
  const bare = expression.trim().replace(/^\(([^()]*)\)$/, "$1");
  return LOOSE.get(bare.toLowerCase()) ?? bare;
}

/** The licences that an expression names, less `+`, `-only`, `-or-later` and exceptions, none of which is in a licence's text. */
export function idsIn(expression: string): string[] {
  const whole = tidied(expression);
  if (NO_LICENCE.test(whole)) return [];
  const ids = whole
    .replaceAll(/[()]/g, " ")
    .split(/\s+(?:OR|AND)\s+/i)
    .map((part) => tidied(part.replace(/\s+WITH\s+\S+/i, "")))
    .map((part) => part.replace(/(?:\+|-only|-or-later)$/, ""))
    .filter((part) => part !== "");
  return [...new Set(ids)];
}
