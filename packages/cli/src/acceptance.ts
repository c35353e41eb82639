/**
 * Waits until the log has a task. The client itself never gives up; whoever sits at a terminal wants to know after a
 * while, and why.
 */
import type { TaskHandle } from "@weft/client";
import { AppendOutcomeUnknownError, NamespaceMissingError } from "@weft/protocol";
import { type ClusterAddress, withCluster } from "./cluster.ts";
import { describeMs } from "./quantity.ts";

const CHECK_AFTER_MS = 500;

export async function untilAccepted(
  handle: TaskHandle,
  address: ClusterAddress,
  timeoutMs: number,
): Promise<void> {
  const accepted = handle.accepted.then(() => true as const);
  if (await within(accepted, Math.min(CHECK_AFTER_MS, timeoutMs))) return;
  if (await withCluster(address, (cluster) => cluster.isNamespaceMissing())) {
    throw new NamespaceMissingError(address.namespace);
  }
  if (await within(accepted, timeoutMs)) return;
  throw new AppendOutcomeUnknownError(
    `the log has not acknowledged task ${handle.id} within ${describeMs(timeoutMs)}: it may or may not have it (\`weft show ${handle.id}\` tells once a coordinator answers)`,
  );
}

/** False where it takes longer. */
async function within(done: Promise<true>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
