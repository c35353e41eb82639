import { UsageError, type WeftErrorOptions } from "@weft/protocol";

/** A file that is no recorded workflow, or one whose tasks do not fit together. */
export class WorkflowFileError extends UsageError {
  readonly file: string;
  constructor(file: string, message: string, options: WeftErrorOptions = {}) {
    super(`${file}: ${message}`, options, "weft_workflow_file");
    this.file = file;
  }
}
