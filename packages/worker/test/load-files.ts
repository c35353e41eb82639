/** Loads each file that its arguments name as a worker does, in a plain process, and prints what came of it as JSON. */
import { loadTaskFiles, TaskRegistry } from "../src/task-registry.ts";

const told = process.argv.slice(2).map(async (files) => {
  const registry = new TaskRegistry();
  try {
    await loadTaskFiles(registry, files.split(","));
    return { names: registry.names };
  } catch (error) {
    const { name, message, file } = error as Error & { file?: string };
    return { name, message, file, hasCause: (error as Error).cause !== undefined };
  }
});
process.stdout.write(JSON.stringify(await Promise.all(told)));
