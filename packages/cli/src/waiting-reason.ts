/** While somebody watches a task and nothing happens, asks the leader now and then why. */
import type { TaskId } from "@weft/protocol";
import { Cluster, type ClusterAddress } from "./cluster.ts";
import { readTaskReport } from "./report-reader.ts";

const LOOK_EVERY_MS = 1_500;

export class WaitingReason {
  private readonly address: ClusterAddress;
  private readonly id: TaskId;
  private readonly tell: (because: string) => void;
  private readonly timer: NodeJS.Timeout;
  private cluster: Promise<Cluster> | null = null;
  private looking: Promise<void> | null = null;
  private quiet = true;
  private told = "";

  constructor(address: ClusterAddress, id: TaskId, tell: (because: string) => void) {
    this.address = address;
    this.id = id;
    this.tell = tell;
    this.timer = setInterval(() => {
      if (this.quiet)
        this.looking ??= this.look().finally(() => {
          this.looking = null;
        });
      this.quiet = true;
    }, LOOK_EVERY_MS);
  }

  /** Something has happened: no reason to ask. */
  heard(): void {
    this.quiet = false;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
    const cluster = await this.cluster?.catch(() => null);
    await cluster?.close();
  }

  private async look(): Promise<void> {
    let because: string;
    try {
      this.cluster ??= Cluster.open(this.address);
      const cluster = await this.cluster;
      const report = readTaskReport(await cluster.report({ type: "show", id: this.id }));
      // While a worker has it, silence is the task's own way.
      if (report.worker !== null || report.settledAtMs !== null) return;
      because = report.because;
    } catch (error) {
      because = error instanceof Error ? error.message : String(error);
    }
    if (because === this.told) return;
    this.told = because;
    this.tell(because);
  }
}
