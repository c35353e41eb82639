/** Everything that a fault run is made of: the nodes, the parties, and those who watch. */
import { type Client, connect } from "@weft/client";
import { type NatsCluster, type NatsServer, waitUntil } from "@weft/testing";
import type { Dice } from "@weft/testing/simulation";
import { Account } from "./account.ts";
import { Calm } from "./calm.ts";
import { ClientParty } from "./client-party.ts";
import { Measures } from "./measures.ts";
import type { Network } from "./network.ts";
import { Observer } from "./observer.ts";
import type { Party } from "./party.ts";
import { coordinatorParty, type WeftParty, workerParty } from "./weft-party.ts";

const COORDINATORS = 2;
const WORKERS = 3;
const CLIENTS = 2;
const LEADER_MAX_MS = 60_000;
const CONNECT_MAX_MS = 60_000;
const OUTPUT_LINES = 20;

export type Arena = {
  readonly dice: Dice;
  readonly network: Network;
  readonly nats: NatsCluster;
  readonly coordinators: readonly WeftParty[];
  readonly workers: readonly WeftParty[];
  readonly clients: readonly ClientParty[];
  readonly account: Account;
  readonly observer: Observer;
  /** A client of the run's own that no fault is aimed at: what it waits for is what is measured. */
  readonly prober: Client;
  readonly calm: Calm;
  readonly measures: Measures;
  /** Titles of those that ended though nobody ended them. */
  readonly deaths: readonly string[];
  /** Titles of those that had to be killed after SIGTERM. */
  readonly stubborn: readonly string[];
  readonly tell: (line: string) => void;
};

export type ArenaOptions = {
  readonly network: Network;
  readonly nodes: number;
  readonly dice: Dice;
  readonly tell: (line: string) => void;
};

export async function openArena({ network, nodes, dice, tell }: ArenaOptions): Promise<Arena> {
  const startedMs = performance.now();
  const account = new Account((line) => story(line));
  const story = (line: string): void => {
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1).padStart(7);
    tell(`${seconds} s  ${line} (settled ${account.settledCount}, open ${account.openCount})`);
  };
  const deaths: string[] = [];
  const stubborn: string[] = [];
  const reportTo =
    (list: string[], what: string) =>
    (title: string, lastSaid: readonly string[]): void => {
      list.push(title);
      story(`${title} ${what}: ${lastSaid.join("\n    ")}`);
    };
  const reports = {
    onDeath: reportTo(deaths, "has ended by itself"),
    onStubborn: reportTo(stubborn, "does not end on SIGTERM"),
  };
  const nats = await network.startNodes(nodes);
  const observer = await Observer.open(nats.urls);
  const coordinators = [coordinatorParty(0, await network.join("coordinator 0"), reports)];
  await waitUntil(() => observer.leaderPid !== null, {
    what: "a leader",
    timeoutMs: LEADER_MAX_MS,
    story: () => coordinators.flatMap((party) => party.tail(OUTPUT_LINES)).join("\n"),
  });
  for (let index = 1; index < COORDINATORS; index++)
    coordinators.push(coordinatorParty(index, await network.join(`coordinator ${index}`), reports));
  const workers: WeftParty[] = [];
  for (let index = 0; index < WORKERS; index++)
    workers.push(workerParty(index, await network.join(`worker ${index}`), reports));
  const clients: ClientParty[] = [];
  for (let index = 0; index < CLIENTS; index++) {
    const place = await network.join(`client ${index}`);
    clients.push(new ClientParty({ index, place, account, seed: dice.below(2 ** 31), tell: story, reports }));
  }
  await Promise.all([...coordinators, ...workers, ...clients].map((party) => party.ready()));
  const prober = await connect({
    servers: nats.urls,
    identity: "prober",
    connectTimeoutMs: CONNECT_MAX_MS,
    onError: () => undefined,
  });
  return {
    dice,
    network,
    nats,
    coordinators,
    workers,
    clients,
    account,
    observer,
    prober,
    calm: new Calm(),
    measures: new Measures(story),
    deaths,
    stubborn,
    tell: story,
  };
}

export async function closeArena(arena: Arena): Promise<void> {
  await Promise.all(partiesOf(arena).map((party) => party.end()));
  await arena.prober.close({ timeoutMs: 0 });
  await arena.observer.close();
  await arena.nats.stop();
  await arena.network.close();
}

export function partiesOf({ coordinators, workers, clients }: Arena): readonly Party[] {
  return [...coordinators, ...workers, ...clients];
}

export function leaderOf({ coordinators, observer }: Arena): WeftParty | undefined {
  return coordinators.find(({ pid }) => pid === observer.leaderPid);
}

/** A node's name in the story and on the network. */
export function nodeTitle(arena: Arena, server: NatsServer): string {
  return `node ${arena.nats.servers.indexOf(server) + 1}`;
}
