/** The tasks of a worker, loaded from files or given as modules. What does not load stops the worker before it starts. */
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { DuplicateTaskError, TaskFileError, UsageError } from "@weft/protocol";
import { isDefinition, type TaskDefinition } from "./define-task.ts";

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
    if (definition.options.executor === "thread" && task.moduleUrl === null) {
      throw new UsageError(
        `task "${definition.name}" runs in threads, which load it from its file: start the worker with \`files\` instead of \`tasks\``,
      );
    }
    this.tasks.set(definition.name, task);
  }
}

export async function loadTaskFiles(registry: TaskRegistry, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const path = file.startsWith("file:") ? fileURLToPath(file) : resolve(file);
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
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const at = placeOf(error, url, path);
    throw new TaskFileError(path, `${at} does not load: ${error.name}: ${error.message}`, { cause });
  }
}

/** File and line where loading broke: in this file if the stack says so, else wherever it happened first. */
function placeOf(error: Error, url: string, path: string): string {
  const stack = error.stack ?? "";
  for (const name of [url, path]) {
    const at = stack.indexOf(`${name}:`);
    const line = at < 0 ? null : /^:(\d+)/.exec(stack.slice(at + name.length));
    if (line !== null) return `${path}:${line[1]}`;
  }
  const elsewhere = /(?:^|\s|\()(?:file:\/\/)?(\/[^\s:()]+):(\d+)/.exec(stack);
  return elsewhere === null ? path : `${elsewhere[1]}:${elsewhere[2]} (loaded by ${path})`;
}
