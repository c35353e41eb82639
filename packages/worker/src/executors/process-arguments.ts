/** How a process of the `process` executor is started. */

/** Options of Node that are the worker's own: its debugger's port, the code that it was given, its heap. */
const OWN = /^(?:--inspect|--debug-port|--watch|--max-old-space-size|--max-semi-space-size|--test\b)/;
const OWN_WITH_VALUE = new Set(["-e", "--eval", "-p", "--print", "-pe"]);

/** The worker's own options of Node, as far as the code that it loads may need them: loaders, conditions. */
export function inheritedArguments(given: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < given.length; i++) {
    const each = given[i] ?? "";
    if (OWN_WITH_VALUE.has(each)) i++;
    else if (!OWN.test(each) && !/^--(?:eval|print)=/.test(each)) kept.push(each);
  }
  return kept;
}

export const MESSAGES_FD = 3;
/** Held open by the worker as long as it lives, and by nobody else. */
export const LIFELINE_FD = 4;

/** What a process tells through its lifeline before it ends itself for lack of memory. */
export const OUT_OF_MEMORY_WORD = "memory";
