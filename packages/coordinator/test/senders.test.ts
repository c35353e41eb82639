/** A sender and the fold together: whatever is lost on the way, and for however long, each record counts once. */
import { InstanceId, RECORD_SPAN_MAX } from "@weft/protocol";
import { Outbox, type OutboxItem } from "@weft/transport";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Senders } from "../src/core/ledger/senders.ts";

const instance = InstanceId.parse("s1");
const item: OutboxItem = { bytes: 1, acknowledged: () => undefined, abandoned: () => undefined };

/** Of the records on their way, which one is sent again next; and whether that is lost, or its acknowledgement. */
const sending = fc.record({
  which: fc.nat({ max: 3 }),
  fate: fc.constantFrom("lost", "arrives", "arrives", "arrives", "unheard"),
});

test("each record is taken once, however far others get ahead of it", () => {
  fc.assert(
    fc.property(
      fc.array(sending, { minLength: 200, maxLength: 600 }),
      fc.nat({ max: 3 }),
      (sendings, unlucky) => {
        const outbox = new Outbox<"submit", OutboxItem>({
          windowMax: 4,
          fullWindowMax: 4,
          spanMax: RECORD_SPAN_MAX,
          recordBytesMax: 1,
          recordItemsMax: 1,
        });
        const senders = new Senders();
        const flying: number[] = [];
        const taken = new Set<number>();
        const send = (): void => {
          outbox.add("submit", item);
          const record = outbox.take();
          if (record !== null) flying.push(record.number);
        };
        const arrive = (number: number): void => {
          if (!senders.admit(instance, number, 1)) return;
          expect(taken.has(number)).toBe(false);
          taken.add(number);
        };
        const settle = (number: number): void => {
          outbox.settle(number);
          flying.splice(flying.indexOf(number), 1);
          expect(taken.has(number), `${number} was acknowledged and not taken`).toBe(true);
        };
        for (const { which, fate } of sendings) {
          send();
          // One is lost for as long as there are others.
          const number = flying[which === unlucky ? flying.length - 1 : which];
          if (number === undefined || number === unlucky + 1 || fate === "lost") continue;
          arrive(number);
          if (fate === "arrives") settle(number);
        }
        for (const number of [...flying]) {
          arrive(number);
          settle(number);
        }
      },
    ),
  );
});
