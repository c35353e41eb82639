/**
 * Bugs that are put in on purpose, to see that the simulation finds them. Each changes a line of the product as it is
 * loaded, in this process only; a line that is no longer there is an error, so no plant can wither unnoticed.
 */
import { registerHooks } from "node:module";

type Plant = {
  readonly name: string;
  /** What a programmer might have got wrong. */
  readonly what: string;
  readonly edits: readonly Edit[];
};

type Edit = {
  /** The end of the file's path. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
};

const LEDGER = "/packages/coordinator/src/core/ledger/";
const SHELL = "/packages/coordinator/src/shell/";
const TERM = `${SHELL}term.ts`;

export const PLANTS: readonly Plant[] = [
  {
    name: "no-attempt-check",
    what: "a finish counts whichever attempt it is of",
    edits: [{ file: `${LEDGER}finish.ts`, from: "task.attempt !== given.attempt", to: "false" }],
  },
  {
    name: "early-release",
    what: "a task is released although it waits for something",
    edits: [
      {
        file: `${LEDGER}link.ts`,
        from: "if (task.unmet === 0) release(",
        to: "if (task.unmet >= 0) release(",
      },
    ],
  },
  {
    name: "lost-reconcile",
    what: "an assignment that was lost on its way is never sent again",
    edits: [
      {
        file: "/packages/coordinator/src/core/scheduler/scheduler.ts",
        from: "if (out.message === null || out.message > presence.seen || held.has(task.id)) continue;",
        to: "continue;",
      },
    ],
  },
  {
    name: "unlimited-slots",
    what: "a worker runs whatever it holds at once",
    edits: [
      {
        file: "/packages/worker/src/core/attempts.ts",
        from: "this.queue.size > 0 && this.hasFreeSlot",
        to: "this.queue.size > 0",
      },
    ],
  },
  {
    name: "no-resend",
    what: "an append that nobody acknowledged is not sent again",
    edits: [
      {
        file: "/packages/transport/src/appender.ts",
        from: "if (nowMs < this.dueAtMs(number, flight)) continue;",
        to: "continue;",
      },
    ],
  },
  {
    name: "deaf-client",
    what: "a client never asks for the outcomes that it has missed",
    edits: [
      {
        file: "/packages/client/src/follower.ts",
        from: "if (this.closed || this.open.size === 0) return;",
        to: "return;",
      },
    ],
  },
  {
    name: "purge-too-far",
    what: "the log is purged up to a checkpoint, whatever is still needed of it",
    edits: [
      {
        file: "/packages/coordinator/src/shell/log-upkeep.ts",
        from: "Math.min(checkpoint.seq, facts.oldestNeededSeq, facts.oldestFreshSeq, facts.lastControlSeq)",
        to: "Math.min(checkpoint.seq, facts.lastControlSeq)",
      },
    ],
  },
  {
    name: "carried-once",
    what: "what was carried is thought to be safe for ever",
    edits: [
      {
        file: `${LEDGER}needed.ts`,
        from: "resultsNeeded(ledger), carriedNeeded(ledger)",
        to: "resultsNeeded(ledger)",
      },
    ],
  },
  {
    name: "carry-forgets",
    what: "arguments are carried although their task has settled meanwhile",
    edits: [
      {
        file: `${LEDGER}carry.ts`,
        from: "if (task === undefined ||",
        to: "if (task === undefined) break; if (",
      },
    ],
  },
  {
    name: "early-receipt",
    what: "a result that its client has goes although a live task depends on it",
    edits: [
      {
        file: `${LEDGER}received.ts`,
        from: "else if (ledger.settled.pins(id) > 0) ledger.received.add(task.id);",
        to: "",
      },
    ],
  },
  {
    name: "early-eviction",
    what: "a settled task leaves although a live one depends on it",
    edits: [
      {
        file: `${LEDGER}retention.ts`,
        from: "if (id !== undefined && living[at] === undefined) settled.pin(id);",
        to: "",
      },
    ],
  },
  {
    name: "own-way-of-folding",
    what: "one fold counts otherwise than another",
    edits: [
      {
        file: `${LEDGER}finish.ts`,
        from: "if (given.started) task.tries++;",
        to: "globalThis.folded = (globalThis.folded ?? 0) + 1; if (given.started && globalThis.folded % 5 > 0) task.tries++;",
      },
    ],
  },
  {
    name: "silent-loss",
    what: "a leader does not record the attempts of a worker that is gone",
    edits: [
      {
        file: "/packages/coordinator/src/shell/leadership.ts",
        from: "for (const attempt of attempts) this.lost.push(attempt);",
        to: "",
      },
    ],
  },
  {
    name: "no-claim-window",
    what: "a new leader gives out at once what workers may hold",
    edits: [
      { file: TERM, from: "if (!nothingToClaim && !allHeard && !this.windowOver) return;", to: "" },
      { file: TERM, from: "this.scheduler.seen(worker, presence, nowMs);", to: "" },
    ],
  },
  {
    name: "replayed-effects",
    what: "a coordinator that begins to lead acts on what the records did that it folded before",
    edits: [
      {
        file: `${SHELL}replica.ts`,
        from: "this.term?.act(effects);",
        to: "const all = (this.replayed ??= []); all.push(...effects); this.term?.act(all.splice(0));",
      },
    ],
  },
  {
    name: "children-left",
    what: "children go on when their parent is over",
    edits: [{ file: `${LEDGER}children.ts`, from: "ledger.orphans.push(child);", to: "void child;" }],
  },
  {
    name: "no-retry",
    what: "a task that has tries left is not tried again",
    edits: [
      { file: `${LEDGER}retry.ts`, from: "ended.tries >= policy.maximumAttempts", to: "ended.tries >= 1" },
    ],
  },
];

/** Must come before the product is loaded. */
export function plant({ name, edits }: Plant): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const own = edits.filter(({ file }) => url.endsWith(file));
      if (own.length === 0) return loaded;
      let source = Buffer.from(loaded.source as Uint8Array).toString();
      for (const { file, from, to } of own) {
        if (source.split(from).length !== 2)
          throw new Error(`the line of the planted bug ${name} is not once in ${file}`);
        source = source.replace(from, to);
      }
      return { ...loaded, source };
    },
  });
}
