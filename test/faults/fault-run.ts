/** One run: what it is made of, the faults, and what they came to. */
import { type Client, connect } from "@weft/client";
import { type NatsServer, startNatsCluster, startNatsServer, waitUntil } from "@weft/testing";
import { Dice } from "@weft/testing/simulation";
import { Account, type Balance } from "./account.ts";
import { Load } from "./load.ts";
import { Observer } from "./observer.ts";
import { coordinatorPart, type Part, workerPart } from "./parts.ts";

export type FaultRunOptions = {
  /** NATS nodes: 1, or 3. */
  readonly nodes: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
};

type Spread = { readonly p50: number; readonly p99: number; readonly count: number };

export type FaultResult = Balance & {
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly failovers: number;
  /** From the kill of the leader until a task that was submitted after it has its result. */
  readonly failover_ms: Spread | null;
  /** From the kill of a worker until the leader says that it is lost. */
  readonly worker_loss_detect_ms: Spread | null;
};

const COORDINATORS = 2;
const WORKERS = 3;
const CLIENTS = 2;
const PAUSE_MIN_MS = 1_500;
const PAUSE_SPREAD_MS = 2_500;
const FREEZE_MAX_MS = 14_000;
const HEAL_MS = 120_000;
const MEASURE_MAX_MS = 60_000;

type FaultParts = {
  readonly servers: readonly NatsServer[];
  readonly coordinators: readonly Part[];
  readonly workers: readonly Part[];
  readonly clients: readonly Client[];
  readonly observer: Observer;
};

type Fault = { readonly name: string; readonly weight: number; readonly strike: () => Promise<void> };

export class FaultRun {
  private readonly options: FaultRunOptions;
  private readonly dice: Dice;
  private readonly servers: readonly NatsServer[];
  private readonly coordinators: readonly Part[];
  private readonly workers: readonly Part[];
  private readonly clients: readonly Client[];
  private readonly observer: Observer;
  private readonly account: Account;
  private readonly struck: Record<string, number> = {};
  private readonly failovers: number[] = [];
  private readonly losses: number[] = [];
  /** Measurements that are under way. */
  private readonly measuring = new Set<Promise<void>>();
  private readonly startedMs = performance.now();

  static async start(options: FaultRunOptions): Promise<FaultRun> {
    const cluster = options.nodes > 1 ? await startNatsCluster(options.nodes) : null;
    const servers = cluster?.servers ?? [await startNatsServer()];
    const urls = servers.map(({ url }) => url);
    const observer = await Observer.open(urls);
    const coordinators = [coordinatorPart(0, urls)];
    await coordinators[0]?.printed("leads");
    for (let index = 1; index < COORDINATORS; index++) coordinators.push(coordinatorPart(index, urls));
    const workers = Array.from({ length: WORKERS }, (_, index) => workerPart(index, urls));
    await Promise.all(workers.map((worker) => worker.printed("ready")));
    const onError = (error: Error): void => options.tell(`client: ${error.message}`);
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => connect({ servers: urls, onError })),
    );
    return new FaultRun(options, { servers, coordinators, workers, clients, observer });
  }

  private constructor(options: FaultRunOptions, parts: FaultParts) {
    this.options = options;
    this.dice = new Dice(options.seed);
    this.servers = parts.servers;
    this.coordinators = parts.coordinators;
    this.workers = parts.workers;
    this.clients = parts.clients;
    this.observer = parts.observer;
    this.account = new Account((line) => this.tell(line));
  }

  /** Strikes for so long, then lets everything heal. */
  async play(forMs: number): Promise<FaultResult> {
    this.tell(`seed ${this.options.seed}, ${this.servers.length} NATS nodes`);
    const loads = this.clients.map((client) => new Load(client, this.account, this.dice));
    for (const load of loads) load.start();
    const endMs = performance.now() + forMs;
    while (performance.now() < endMs) {
      await pause(PAUSE_MIN_MS + this.dice.next() * PAUSE_SPREAD_MS);
      await this.strike();
    }
    for (const load of loads) load.stop();
    this.tell(`healing, ${this.account.openCount} tasks open`);
    await waitUntil(() => this.account.openCount === 0, { timeoutMs: HEAL_MS }).catch(() => undefined);
    await Promise.all(this.measuring);
    const balance = await this.account.close();
    return {
      seed: this.options.seed,
      ...balance,
      faults: this.struck,
      failovers: this.failovers.length,
      failover_ms: spreadOf(this.failovers),
      worker_loss_detect_ms: spreadOf(this.losses),
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers, ...this.coordinators].map((part) => part.end()));
    await Promise.all(this.clients.map((client) => client.close({ timeoutMs: 0 })));
    await this.observer.close();
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  private async strike(): Promise<void> {
    const faults = this.faults();
    let left = this.dice.next() * faults.reduce((sum, { weight }) => sum + weight, 0);
    const fault = faults.find(({ weight }) => {
      left -= weight;
      return left < 0;
    });
    if (fault === undefined) return;
    this.struck[fault.name] = (this.struck[fault.name] ?? 0) + 1;
    await fault.strike();
  }

  private faults(): readonly Fault[] {
    return [
      { name: "kill_worker", weight: 6, strike: () => this.killWorker() },
      { name: "kill_leader", weight: 5, strike: () => this.killLeader() },
      { name: "kill_coordinator", weight: 2, strike: () => this.killCoordinator() },
      { name: "freeze_worker", weight: 3, strike: () => this.freeze(this.dice.pick(this.workers)) },
      { name: "freeze_coordinator", weight: 2, strike: () => this.freeze(this.dice.pick(this.coordinators)) },
      { name: "restart_node", weight: 2, strike: () => this.restartNodes([this.dice.pick(this.servers)]) },
      { name: "kill_node", weight: 2, strike: () => this.killNode() },
      { name: "restart_all_nodes", weight: 1, strike: () => this.restartNodes(this.servers) },
    ];
  }

  private async killWorker(): Promise<void> {
    const part = this.dice.pick(this.workers);
    const { workerName, isStopped } = part;
    this.tell(`kill ${part.title}`);
    const killedMs = performance.now();
    await part.replace();
    if (workerName === null || isStopped) return;
    this.measure(async () => {
      const lostMs = await waitUntil(() => this.observer.lostAt(workerName), { timeoutMs: MEASURE_MAX_MS });
      if (lostMs > killedMs) this.losses.push(lostMs - killedMs);
    });
  }

  private async killLeader(): Promise<void> {
    const leader = this.coordinators.find(({ pid }) => pid === this.observer.leaderPid);
    if (leader === undefined || leader.isStopped) return this.killCoordinator();
    this.tell(`kill ${leader.title}, which leads`);
    const killedMs = performance.now();
    await leader.replace();
    const [client] = this.clients;
    if (client === undefined) return;
    this.measure(async () => {
      await client.submit("echo", 0, { priority: 1_000 }).result();
      this.failovers.push(performance.now() - killedMs);
    });
  }

  private async killCoordinator(): Promise<void> {
    const part = this.dice.pick(this.coordinators);
    this.tell(`kill ${part.title}`);
    await part.replace();
  }

  private async freeze(part: Part): Promise<void> {
    if (part.isStopped) return;
    const forMs = this.dice.next() * FREEZE_MAX_MS;
    this.tell(`freeze ${part.title} for ${Math.round(forMs)} ms`);
    part.freeze(forMs);
  }

  private async restartNodes(servers: readonly NatsServer[]): Promise<void> {
    this.tell(`restart ${servers.length} of ${this.servers.length} NATS nodes`);
    await Promise.all(servers.map((server) => server.restart()));
  }

  private async killNode(): Promise<void> {
    const server = this.dice.pick(this.servers);
    this.tell("kill a NATS node");
    server.kill("SIGKILL");
    await server.exited;
    await server.restart();
  }

  private measure(work: () => Promise<void>): void {
    const measured = work().catch((error: unknown) => this.tell(`not measured: ${String(error)}`));
    this.measuring.add(measured);
    void measured.then(() => this.measuring.delete(measured));
  }

  private tell(line: string): void {
    const seconds = ((performance.now() - this.startedMs) / 1_000).toFixed(1).padStart(7);
    this.options.tell(`${seconds} s  ${line} (settled: ${this.account.settledCount})`);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((over) => setTimeout(over, ms));
}

function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
  return { p50: at(0.5), p99: at(0.99), count: values.length };
}
