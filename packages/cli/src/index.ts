/** The weft command, for programs that bring it under a name of their own. */
export { EXIT_CODES, type ExitCode } from "./exit-code.ts";
export { run } from "./program.ts";
