/** Lets faults come at random moments, each kind by a clock of its own, and heals everything in the end. */
import type { Dice, SimLoop, SimServer } from "@weft/testing/simulation";
import type { Parties, Party, PartyKind } from "./parties.ts";
import type { FaultKind, Plan } from "./plan.ts";

export type FaultsOptions = {
  readonly loop: SimLoop;
  readonly dice: Dice;
  readonly plan: Plan;
  readonly server: SimServer;
  readonly stream: string;
  /** That of large values. */
  readonly blobStream: string;
  readonly parties: Parties;
  readonly note: (line: string) => void;
  /** A process is killed, and another takes its place. */
  readonly replace: (party: Party) => void;
  readonly onTailLost: () => void;
};

const HOUR_MS = 3_600_000;
const RIGHT = { rate: 1, offsetMs: 0 };

export class Faults {
  private readonly options: FaultsOptions;
  private over = false;

  constructor(options: FaultsOptions) {
    this.options = options;
  }

  start(): void {
    for (const [kind, meanMs] of this.options.plan.faults) this.schedule(kind, meanMs);
  }

  /** No further faults: what is broken is repaired, and clocks are right again. */
  heal(): void {
    const { parties, server } = this.options;
    this.over = true;
    for (const kind of ["coordinator", "worker", "client"] as const)
      for (const party of parties.all(kind)) party.process.setClockFault(RIGHT);
    server.setClockFault(RIGHT);
  }

  private schedule(kind: FaultKind, meanMs: number): void {
    const { loop, dice } = this.options;
    loop.after(meanMs * dice.between(0.2, 1.8), () => {
      if (this.over) return;
      this.strike(kind);
      this.schedule(kind, meanMs);
    });
  }

  private strike(kind: FaultKind): void {
    const { dice, server, stream, blobStream, note, onTailLost } = this.options;
    switch (kind) {
      case "kill_coordinator":
        return this.kill("coordinator");
      case "kill_worker":
        return this.kill("worker");
      case "kill_client":
        return this.kill("client");
      case "freeze_coordinator":
        return this.freeze("coordinator");
      case "freeze_worker":
        return this.freeze("worker");
      case "freeze_client":
        return this.freeze("client");
      case "resign":
        return this.stop("coordinator");
      case "drain_worker":
        return this.stop("worker");
      case "cut": {
        const party = this.anybody();
        const forMs = dice.between(10, dice.chance(0.2) ? 20_000 : 3_000);
        note(`cut ${party.title} off for ${Math.round(forMs)} ms`);
        return server.cut(party.process, forMs);
      }
      case "restart_server": {
        const forMs = dice.between(50, 5_000);
        note(`the server is down for ${Math.round(forMs)} ms`);
        return server.restart(forMs);
      }
      case "move_stream_leader": {
        const forMs = dice.between(100, 9_000);
        const moved = this.options.plan.blobSizes !== null && dice.chance(0.5) ? blobStream : stream;
        note(`the stream ${moved} has no leader for ${Math.round(forMs)} ms`);
        return server.moveStreamLeader(moved, forMs);
      }
      case "stop_consumer":
        note("a consumer stops without a word");
        return server.stopConsumer(stream);
      case "wrong_clock": {
        const party = this.anybody();
        const fault = this.clockFault();
        note(`the clock of ${party.title} runs at ${fault.rate.toFixed(2)}, off by ${fault.offsetMs} ms`);
        return party.process.setClockFault(fault);
      }
      case "wrong_server_clock": {
        const fault = this.clockFault();
        note(`the clock of the server is off by ${fault.offsetMs} ms`);
        return server.setClockFault(fault);
      }
      case "garbage":
        return server.appendGarbage(stream);
      case "lose_tail": {
        // An end, not the whole: an emptied log is an operator's to look at.
        const count = 1 + dice.below(Math.min(20, Math.floor(server.lastSeq(stream) / 4) + 1));
        note(`a power cut takes the last ${count} records of the log`);
        onTailLost();
        return server.loseTail(stream, count, dice.between(50, 3_000));
      }
    }
  }

  private clockFault(): { readonly rate: number; readonly offsetMs: number } {
    const { dice } = this.options;
    const rate = dice.chance(0.5) ? 1 : dice.between(0.8, 1.2);
    const sign = dice.chance(0.5) ? 1 : -1;
    return { rate, offsetMs: dice.chance(0.3) ? 0 : Math.round(sign * dice.next() * 1.5 * HOUR_MS) };
  }

  private kill(kind: PartyKind): void {
    const { dice, parties, note, replace, loop } = this.options;
    const party = dice.pick(parties.all(kind));
    if (party.process.isKilled) return;
    note(`kill ${party.title}`);
    party.process.kill();
    loop.after(dice.between(10, 4_000), () => replace(party));
  }

  private freeze(kind: PartyKind): void {
    const { dice, parties, note } = this.options;
    const party = dice.pick(parties.all(kind));
    const forMs = dice.between(20, dice.chance(0.2) ? 15_000 : 3_000);
    note(`freeze ${party.title} for ${Math.round(forMs)} ms`);
    party.process.freeze(forMs);
  }

  /** As SIGTERM does; another process takes its place. */
  private stop(kind: "coordinator" | "worker"): void {
    const { dice, parties, note, replace } = this.options;
    const party = dice.pick(parties.all(kind));
    if (party.process.isKilled || party.process.isFrozen) return;
    const stopping = kind === "worker" ? party.worker?.stop({ graceMs: 500 }) : party.coordinator?.stop();
    if (stopping === undefined) return;
    note(`stop ${party.title}`);
    stopping.then(
      () => {
        if (party.process.isKilled) return;
        party.process.kill();
        replace(party);
      },
      (error: unknown) => note(`${party.title} did not stop: ${String(error)}`),
    );
  }

  private anybody(): Party {
    const { dice, parties } = this.options;
    const kind = dice.pick(["coordinator", "worker", "client"] as const);
    return dice.pick(parties.all(kind));
  }
}
