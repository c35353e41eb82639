/** The processes of a simulated cluster: each is the product's own code on a simulated connection. */
import { Client } from "@weft/client";
import { FOLD_VERSION, Identity, InstanceId, type Subjects } from "@weft/protocol";
import { type Dice, type SimLoop, SimProcess } from "@weft/testing/simulation";
import type { Connection } from "@weft/transport";
import { Coordinator } from "../../packages/coordinator/src/shell/coordinator.ts";
import type { NamespaceConfig } from "../../packages/coordinator/src/shell/namespace.ts";
import { defineTask } from "../../packages/worker/src/define-task.ts";
import { TaskRegistry } from "../../packages/worker/src/task-registry.ts";
import { Worker } from "../../packages/worker/src/worker.ts";
import type { Plan } from "./plan.ts";
import { type RunWitness, simExecutor } from "./sim-executor.ts";
import { TASK_NAME } from "./workload.ts";

export type PartyKind = "coordinator" | "worker" | "client";

export type Party = {
  readonly kind: PartyKind;
  /** "worker 2", whichever process plays it now. */
  readonly title: string;
  readonly process: SimProcess;
  readonly connection: Connection;
  coordinator: Coordinator | null;
  worker: Worker | null;
  client: Client | null;
};

export type PartiesOptions = {
  readonly loop: SimLoop;
  readonly dice: Dice;
  readonly plan: Plan;
  readonly config: NamespaceConfig;
  readonly subjects: Subjects;
  readonly connect: (process: SimProcess, identity: Identity, instance: InstanceId) => Connection;
  readonly witness: RunWitness;
  readonly note: (line: string) => void;
  /** A party ended although nobody ended it. */
  readonly onFailed: (party: Party, error: Error) => void;
};

/** Clocks here are hours apart at worst: a value must not seem to be unneeded for so long while its record is on its way. */
const COLLECTING = { unneededMs: 4 * 3_600_000, everyMs: 5_000 };
const CANCEL_GRACE_MS = 1_000;

export class Parties {
  private readonly options: PartiesOptions;
  private readonly byTitle = new Map<string, Party>();
  private generation = 0;
  /** Titles of coordinators that had a predecessor. */
  private readonly upgraded = new Set<string>();

  constructor(options: PartiesOptions) {
    this.options = options;
  }

  all(kind: PartyKind): Party[] {
    return [...this.byTitle.values()].filter((party) => party.kind === kind);
  }

  /** Starts a process in the place of the one before, which is dead. */
  start(kind: PartyKind, index: number): Party {
    const title = `${kind} ${index}`;
    const { loop, dice, connect } = this.options;
    const process = new SimProcess(`${title} #${++this.generation}`, loop, dice.fork());
    const connection = connect(process, Identity.parse(kind), InstanceId.create(process.entropy.token));
    const party: Party = { kind, title, process, connection, coordinator: null, worker: null, client: null };
    this.byTitle.set(title, party);
    process.deliver(() => this.begin(party));
    return party;
  }

  private begin(party: Party): void {
    switch (party.kind) {
      case "coordinator":
        return this.beginCoordinator(party);
      case "worker":
        party.worker = this.workerOn(party);
        return;
      case "client":
        party.client = this.clientOn(party);
    }
  }

  private clientOn({ connection, title }: Party): Client {
    const { plan, subjects, note } = this.options;
    const onError = (error: Error): void => note(`${title}: ${error.message}`);
    return new Client(connection, subjects, onError, plan.blobSizes ?? undefined);
  }

  private beginCoordinator(party: Party): void {
    const { config, note, onFailed } = this.options;
    const log = (line: string): void => note(`${party.title}: ${line}`);
    const { checkpoints, settings, isUpgrade } = this.options.plan;
    const foldVersion = isUpgrade && this.upgraded.has(party.title) ? FOLD_VERSION + 1 : FOLD_VERSION;
    this.upgraded.add(party.title);
    const parts = { log, checkpoints, settings: () => settings, foldVersion, largeValues: COLLECTING };
    Coordinator.open(party.connection, config, parts).then(
      (coordinator) => {
        party.coordinator = coordinator;
        coordinator.untilEnded().then(
          (error) => {
            if (error !== null) onFailed(party, error);
          },
          () => undefined,
        );
      },
      (error: unknown) => onFailed(party, error as Error),
    );
  }

  private workerOn({ process, connection, title }: Party): Worker {
    const { plan, subjects, witness, note } = this.options;
    const registry = new TaskRegistry();
    const tasks = { sum: defineTask(TASK_NAME, { executor: "inline" }, () => 0) };
    registry.addModule(tasks, null, "the simulation");
    const executor = simExecutor(process, witness);
    return new Worker({
      connection,
      subjects,
      registry,
      executors: { inline: executor, thread: executor, process: executor },
      liveness: null,
      ...(plan.blobSizes === null ? {} : { blobSizes: plan.blobSizes }),
      options: {
        slots: plan.slots,
        ...(plan.prefetch === null ? {} : { prefetch: plan.prefetch }),
        cancelGraceMs: CANCEL_GRACE_MS,
        log: (line) => note(`${title}: ${line}`),
      },
    });
  }
}
