/** How an error is told: one line for a person, an object for a program, a stack only for who asks for one. */
import { WeftError } from "@weft/protocol";
import { CommanderError } from "commander";
import { toJson } from "./json-value.ts";
import { oneLine, printable } from "./output.ts";

export type ErrorObject = { readonly code: string; readonly message: string };

const CAUSES_MAX = 16;

export function errorObject(error: unknown): ErrorObject {
  if (error instanceof CommanderError) return { code: "weft_usage", message: usageMessage(error) };
  const message = messageOf(error);
  return { code: WeftError.is(error) ? error.code : "unexpected", message };
}

/** The error of a task's code with its causes, the nearest first. */
export function causesOf(error: Error): readonly { readonly name: string; readonly message: string }[] {
  const causes: { readonly name: string; readonly message: string }[] = [];
  for (let at = error.cause; at instanceof Error && causes.length < CAUSES_MAX; at = at.cause) {
    causes.push({ name: at.name, message: at.message });
  }
  return causes;
}

export function reportError(error: unknown, json: boolean): void {
  const told = errorObject(error);
  process.stderr.write(json ? `${toJson({ error: told })}\n` : `weft: ${told.message}\n`);
  if (process.env.WEFT_DEBUG === "1" && error instanceof Error) process.stderr.write(`${error.stack}\n`);
}

/** Of several lines where the error has them, such as every way that failed; never a stack. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  return printable(error.message === "" ? error.name : error.message);
}

function usageMessage(error: CommanderError): string {
  if (error.code === "commander.help") return "a command is needed: see `weft --help`";
  return oneLine(`${error.message.replace(/^error: /, "")}: see \`weft --help\``);
}
