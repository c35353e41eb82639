/** How busy the machine is, from now on. */
import { cpus } from "node:os";

export class MachineLoad {
  private readonly began = MachineLoad.read();

  /** Of all cores, 0 to 1; 0 where the machine does not tell. */
  busyShare(): number {
    const { idle, total } = MachineLoad.read();
    const passed = total - this.began.total;
    return passed === 0 ? 0 : 1 - (idle - this.began.idle) / passed;
  }

  private static read(): { readonly idle: number; readonly total: number } {
    let idle = 0;
    let total = 0;
    for (const { times } of cpus()) {
      idle += times.idle;
      total += Object.values(times).reduce((sum, ms) => sum + ms, 0);
    }
    return { idle, total };
  }
}
