/** Who has a job that waits: the worker that takes it back, or the thread that begins it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { giveTicket, keepTicket, takeTicket, ticketMemory, useTicket } from "../src/executors/ticket.ts";

describe("a job that waits", () => {
  test("is the worker's once it has taken it back", () => {
    const memory = ticketMemory();
    giveTicket(memory, 1);
    expect(takeTicket(memory, 1)).toBe(true);
    expect(useTicket(memory, 1)).toBe(false);
  });

  test("is the thread's once it has begun it", () => {
    const memory = ticketMemory();
    giveTicket(memory, 1);
    expect(useTicket(memory, 1)).toBe(true);
    expect(takeTicket(memory, 1)).toBe(false);
  });

  test("is begun once its message is there, though another waits by then", () => {
    const memory = ticketMemory();
    giveTicket(memory, 1);
    keepTicket(memory, 1);
    giveTicket(memory, 2);
    expect(useTicket(memory, 1)).toBe(true);
    expect(useTicket(memory, 2)).toBe(true);
  });

  test("is begun once only, also where it was the thread's already when the worker left it there for good", () => {
    const memory = ticketMemory();
    giveTicket(memory, 1);
    expect(useTicket(memory, 1)).toBe(true);
    keepTicket(memory, 1);
    expect(useTicket(memory, 1)).toBe(false);
  });

  test("goes to one of the two, whoever comes first, and it is not lost", () => {
    const acts = fc.array(fc.constantFrom("take" as const, "use" as const), { maxLength: 4 });
    fc.assert(
      fc.property(acts, fc.nat({ max: 3 }), (before, usesAfter) => {
        const memory = ticketMemory();
        giveTicket(memory, 1);
        const owners = before.filter((each) =>
          each === "take" ? takeTicket(memory, 1) : useTicket(memory, 1),
        );
        keepTicket(memory, 1);
        for (let i = 0; i <= usesAfter; i++) if (useTicket(memory, 1)) owners.push("use");
        expect(owners).toEqual([before[0] ?? "use"]);
      }),
    );
  });
});
