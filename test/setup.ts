/** Once per run: what every file needs is found or fetched, and the run says so where that takes a while. */
import { findNatsServer } from "@weft/testing";

export async function setup(): Promise<void> {
  const onProgress = (what: string): void => void process.stdout.write(`${what} …\n`);
  const { path, version } = await findNatsServer({ onProgress });
  process.stdout.write(`nats-server ${version} at ${path}\n`);
}
