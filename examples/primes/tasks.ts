/** Tasks to begin with: what the workers of docker-compose.yml run unless WEFT_TASKS names another folder. */
import { defineTask, reportProgress } from "@weft/worker";

export const countPrimes = defineTask("count-primes", { executor: "thread" }, (limit: number) => {
  let found = 0;
  for (let n = 2; n < limit; n++) {
    if (isPrime(n)) found++;
    if (n % 1_000 === 0) reportProgress(n / limit);
  }
  return found;
});

/** Depends on counts; adds them up. */
export const total = defineTask("total", (_input: undefined, ctx) =>
  (ctx.deps as number[]).reduce((sum, each) => sum + each, 0),
);

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
}
