/** Subjects with `*` for one token and `>` for one or more at the end. */
export function isLiteral(pattern: string): boolean {
  return !/(^|\.)[*>](\.|$)/.test(pattern);
}

export function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split(".");
  const tokens = subject.split(".");
  for (const [at, want] of wanted.entries()) {
    if (want === ">") return tokens.length > at;
    if (at >= tokens.length || (want !== "*" && want !== tokens[at])) return false;
  }
  return wanted.length === tokens.length;
}
