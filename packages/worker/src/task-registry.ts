/** The tasks of a worker, loaded from files or given as modules. What does not load stops the worker before it starts. */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { DuplicateTaskError, TaskFileError, UsageError } from "@weft/protocol";
import { isDefinition, type TaskDefinition } from "./define-task.ts";

const CHECK_TIMEOUT_MS = 5_000;

export type RegisteredTask = {
  readonly definition: TaskDefinition;
  /** The URL of the module; null where the definition was given as an object. */
  readonly moduleUrl: string | null;
  /** For messages to people. */
  readonly origin: string;
};

export class TaskRegistry {
  private readonly tasks = new Map<string, RegisteredTask>();

  get names(): readonly string[] {
    return [...this.tasks.keys()];
  }

  get(name: string): RegisteredTask | undefined {
    return this.tasks.get(name);
  }

  /** Takes every definition that a module exports; the number found. */
  addModule(module: Readonly<Record<string, unknown>>, moduleUrl: string | null, origin: string): number {
    let found = 0;
    for (const [exportName, value] of Object.entries(module)) {
      if (!isDefinition(value)) continue;
      found++;
      this.add({ definition: value, moduleUrl, origin: `${origin} (${exportName})` });
    }
    return found;
  }

  private add(task: RegisteredTask): void {
    const { definition } = task;
    const known = this.tasks.get(definition.name);
    if (known !== undefined) {
      // One definition exported twice, or re-exported by another file, is one task.
      if (known.definition === definition) return;
      throw new DuplicateTaskError(definition.name, known.origin, task.origin);
    }
    const { executor } = definition.options;
    if (executor !== "inline" && task.moduleUrl === null) {
      throw new UsageError(
        `task "${definition.name}" runs in a ${executor}, which loads it from its file: start the worker with \`files\` instead of \`tasks\``,
      );
    }
    this.tasks.set(definition.name, task);
  }
}

export async function loadTaskFiles(registry: TaskRegistry, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const path = file.startsWith("file:") ? fileURLToPath(file) : resolve(file);
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
      throw new TaskFileError(path, `there is no file ${path}`);
    }
    const url = pathToFileURL(path).href;
    const module = await importFile(path, url);
    if (registry.addModule(module, url, path) === 0) {
      throw new TaskFileError(path, `${path} exports no task: export what \`defineTask\` returns`);
    }
  }
}

async function importFile(path: string, url: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : `it throws ${inspect(cause)}`;
    throw new TaskFileError(path, `${placeOf(cause, url, path)} does not load: ${why}`, { cause });
  }
}

/** File and line where loading broke: in this file if the stack says so, else wherever it happened first. */
function placeOf(cause: unknown, url: string, path: string): string {
  const stack = cause instanceof Error ? (cause.stack ?? "") : "";
  const line = lineIn(stack, [url, path]);
  if (line !== null) return `${path}:${line}`;
  const elsewhere = /(?:^|\s|\()(?:file:\/\/)?(\/[^\s:()]+):(\d+)/.exec(stack);
  if (elsewhere !== null) return `${elsewhere[1]}:${elsewhere[2]} (loaded by ${path})`;
  const checked = cause instanceof SyntaxError ? lineIn(syntaxReport(path), [url, path]) : null;
  return checked === null ? path : `${path}:${checked}`;
}

function lineIn(text: string, names: readonly string[]): string | null {
  for (const name of names) {
    const at = text.indexOf(`${name}:`);
    const line = at < 0 ? null : /^:(\d+)/.exec(text.slice(at + name.length));
    if (line?.[1] !== undefined) return line[1];
  }
  return null;
}

/** Node tells the line of JavaScript that it cannot parse to nobody but who runs it: so it is asked once more. */
function syntaxReport(path: string): string {
  return spawnSync(process.execPath, ["--check", path], { encoding: "utf8", timeout: CHECK_TIMEOUT_MS })
    .stderr;
}
