/** Coordinators and workers of a fault run: the real command. */
import { fileURLToPath } from "node:url";
import { waitUntil } from "@weft/testing";
import { startWeft, type WeftProcess } from "../fixtures/process.ts";
import type { Place } from "./network.ts";
import { Party, type PartyReports } from "./party.ts";

const TASKS = fileURLToPath(new URL("./tasks.ts", import.meta.url));
const SLOTS = 8;
const READY_MAX_MS = 60_000;

type WeftPartyOptions = {
  readonly title: string;
  readonly args: readonly string[];
  readonly place: Place;
  readonly readyPattern: RegExp;
  readonly reports: PartyReports;
};

class WeftParty extends Party<WeftProcess> {
  private readonly readyPattern: RegExp;

  constructor({ title, args, place, readyPattern, reports }: WeftPartyOptions) {
    super({
      title,
      ...reports,
      start: () =>
        startWeft([...args, "--url", place.urls.join(","), "--connect-timeout", "120s"], {
          through: place.through,
        }),
    });
    this.readyPattern = readyPattern;
  }

  /** What the pattern captures in its output. */
  get said(): string | null {
    return this.readyPattern.exec(this.life.output())?.[1] ?? null;
  }

  tail(lines: number): readonly string[] {
    return this.life.output().trimEnd().split("\n").slice(-lines);
  }

  async ready(): Promise<void> {
    const { title } = this;
    await waitUntil(() => this.said !== null, {
      what: `${title} to be ready`,
      timeoutMs: READY_MAX_MS,
      story: () => this.life.output(),
    });
  }
}

export type { WeftParty };

export function coordinatorParty(index: number, place: Place, reports: PartyReports): WeftParty {
  const title = `coordinator ${index}`;
  const args = ["coordinator", "--create"];
  return new WeftParty({ title, args, place, readyPattern: /(leads|stands by)/, reports });
}

/** What it says is the name that it has in subjects. */
export function workerParty(index: number, place: Place, reports: PartyReports): WeftParty {
  const title = `worker ${index}`;
  const args = ["worker", TASKS, "--slots", String(SLOTS), "--grace", "5s"];
  return new WeftParty({ title, args, place, readyPattern: /worker (\S+) ready/, reports });
}
