/** A client process that submits tasks at a constant rate, a few at a time. */
import { connect } from "@weft/client";
import { serve, serverOfRun } from "../child-service.ts";
import { argumentOf } from "../throughput/contract.ts";
import type { SoakClientContract } from "./contract.ts";
import { held } from "./held.ts";

const BURSTS_PER_SECOND = 10;
const MS_PER_SECOND = 1_000;

const client = await connect({ servers: serverOfRun(), onError: (error) => console.error(error) });
const tasks = client.tasks<typeof import("./tasks.ts")>();

let timer: NodeJS.Timeout | null = null;
let submitted = 0;
let settled = 0;
let failed = 0;
let onAllSettled = (): void => undefined;

function settle(): void {
  settled++;
  if (settled === submitted) onAllSettled();
}

function submit(count: number, argument: string): void {
  for (let i = 0; i < count; i++) {
    submitted++;
    tasks
      .noop(argument)
      .onComplete(settle)
      .onError(() => {
        failed++;
        settle();
      });
  }
}

const contract: SoakClientContract = {
  held,
  start({ perSecond, bytes }) {
    const argument = argumentOf(bytes);
    const count = Math.ceil(perSecond / BURSTS_PER_SECOND);
    timer = setInterval(() => submit(count, argument), MS_PER_SECOND / BURSTS_PER_SECOND);
  },
  async finish() {
    if (timer !== null) clearInterval(timer);
    if (settled < submitted) await new Promise<void>((resolve) => (onAllSettled = resolve));
    if (failed > 0) throw new Error(`${failed} of ${submitted} tasks failed`);
    return settled;
  },
};
serve(contract, () => client.close());
