/** What the process of a command ends with. */
import { TaskError, WeftError } from "@weft/protocol";
import { CommanderError } from "commander";

export const EXIT_CODES = {
  done: 0,
  /** The task failed, or whatever else was asked for did not happen. */
  failed: 1,
  usage: 2,
  /** The cluster cannot be reached, or not be used as it is. */
  unreachable: 3,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

const USAGE: ReadonlySet<string> = new Set([
  "weft_usage",
  "weft_encoding",
  "weft_payload_too_large",
  "weft_invalid_progress",
  "weft_duplicate_task",
  "weft_task_file",
  "weft_workflow_file",
]);

const UNREACHABLE: ReadonlySet<string> = new Set([
  "weft_unreachable",
  "weft_no_leader",
  "weft_jetstream_disabled",
  "weft_unsupported_server",
  "weft_namespace_missing",
  "weft_append_outcome_unknown",
  "weft_nats_server_not_found",
  "weft_nats_server_unusable",
  "weft_nats_server_too_old",
  "weft_nats_server_start",
]);

/** By code, not by class: an error may come from another copy of a package. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
  if (!WeftError.is(error) || error instanceof TaskError) return EXIT_CODES.failed;
  if (USAGE.has(error.code)) return EXIT_CODES.usage;
  return UNREACHABLE.has(error.code) ? EXIT_CODES.unreachable : EXIT_CODES.failed;
}
