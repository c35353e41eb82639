/** What a process holds, of its heap and of what typed arrays have beside it: for tests that nothing is kept. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** After a collection of garbage. */
export function heldBytes(): { readonly heap: number; readonly all: number } {
  // What the first one finds is given back by a thread, which the second one waits for.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, all: heapUsed + arrayBuffers };
}
