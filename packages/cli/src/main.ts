#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Without it most of a short command's time goes into compiling the same modules again.
enableCompileCache();
const { run } = await import("./program.ts");

// A reader that has seen enough, such as `head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});
// Whoever reads the log of a coordinator or worker may go; the process goes on.
process.stderr.on("error", () => undefined);

/** What task files have opened at their load, such as pools of connections, does not keep a stopped worker alive. */
const LINGER_MS = 1_000;

process.exitCode = await run(process.argv.slice(2));
setTimeout(() => process.exit(), LINGER_MS).unref();
