import { expect, test } from "vitest";
import { Turns } from "../src/index.ts";

test("no more is done at once than may be, in order, and a failure gives its turn back", async () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  const ends: PromiseWithResolvers<number>[] = [];
  let active = 0;
  const done = Array.from({ length: 6 }, (_, index) =>
    turns
      .take(async () => {
        begun.push(index);
        expect(++active).toBeLessThanOrEqual(2);
        const end = Promise.withResolvers<number>();
        ends.push(end);
        return end.promise.finally(() => active--);
      })
      .catch((error: Error) => error.message),
  );
  expect([begun, turns.waiting]).toEqual([[0, 1], 4]);
  for (let index = 0; index < 6; index++) {
    if (index === 1) ends[index]?.reject(new Error("one"));
    else ends[index]?.resolve(index);
    await done[index];
    // One that comes now waits behind those that do.
    if (index === 0) done.push(turns.take(async () => 6));
  }
  expect(await Promise.all(done)).toEqual([0, "one", 2, 3, 4, 5, 6]);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
  expect([turns.waiting, active]).toEqual([0, 0]);
});
