/** A small disk in memory that can be full: what is free of it is taken away, and comes back. */
import { execFile } from "node:child_process";
import { mkdir, statfs } from "node:fs/promises";
import { promisify } from "node:util";
import type { Disk } from "./network.ts";

const run = promisify(execFile);
/** An upper bound, not what it takes: a server reserves it for the log, memory is used for what is stored. */
const BYTES = 256 * 1024 ** 3;

const FILL_TRIES = 20;

export class SmallDisk implements Disk {
  readonly folder: string;

  /** Null where this process may not mount. */
  static async mount(folder: string): Promise<SmallDisk | null> {
    await mkdir(folder, { recursive: true });
    try {
      await run("mount", ["-t", "tmpfs", "-o", `size=${BYTES}`, "tmpfs", folder]);
      return new SmallDisk(folder);
    } catch {
      return null;
    }
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** What is stored stays; the rest of the disk goes, but for so much. */
  async fill(freeBytes: number): Promise<void> {
    let before: number | null = null;
    for (let tries = 1; ; tries++) {
      const { blocks, bfree, bsize } = await statfs(this.folder);
      const stored = (blocks - bfree) * bsize;
      try {
        return await this.resize(sizeToFill({ stored, before, freeBytes }));
      } catch (error) {
        before = stored;
        // A size below what is stored is refused: more was written since it was asked for.
        if (tries === FILL_TRIES) throw error;
      }
    }
  }

  async free(): Promise<void> {
    await this.resize(BYTES);
  }

  async unmount(): Promise<void> {
    // While something is still open it goes with the run's mount namespace.
    await run("umount", ["--lazy", this.folder]).catch(() => undefined);
  }

  private async resize(bytes: number): Promise<void> {
    await run("mount", ["-o", `remount,size=${bytes}`, this.folder]);
  }
}

type Filling = {
  readonly stored: number;
  /** What was stored at the try before; null at the first. */
  readonly before: number | null;
  readonly freeBytes: number;
};

/** With room for twice what was written since the last try at least: as much is written until the next one is over. */
export function sizeToFill({ stored, before, freeBytes }: Filling): number {
  return stored + Math.max(freeBytes, before === null ? 0 : 2 * (stored - before));
}
