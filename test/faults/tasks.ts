/** What the workers of a fault run can do. */
import { defineTask, reportProgress } from "@weft/worker";

export const echo = defineTask("echo", (input: number) => input);
/** When it begins, by the clock of the machine. */
export const begun = defineTask("begun", () => performance.timeOrigin + performance.now());
export const size = defineTask("size", (_input: undefined, ctx) => ctx.deps.length);

/** Long enough to be running when something happens to its worker; heeds a cancel. */
export const nap = defineTask("nap", async (forMs: number, ctx) => {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, forMs);
    ctx.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(ctx.signal.reason);
    });
  });
  return forMs;
});

export const fail = defineTask("fail", (input: number) => {
  throw new RangeError(`${input} is refused on purpose`);
});

export const threadSum = defineTask("thread-sum", { executor: "thread" }, (limit: number) => {
  let total = 0;
  for (let n = 0; n < limit; n++) {
    total += n;
    if (n % 1_000 === 0) reportProgress(n / limit);
  }
  return total;
});

/** Heeds nothing: only the end of its thread ends it. */
export const spin = defineTask("spin", { executor: "thread" }, (forMs: number) => {
  reportProgress(0.5, "spinning");
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs);
  return forMs;
});
