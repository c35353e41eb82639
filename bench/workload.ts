/** What a workload is: how the bench runs one, and what it gives back. */
import { type NatsServer, startNatsServer } from "@weft/testing";
import { Child } from "./child.ts";
import type { Contract } from "./child-contract.ts";
import { versions } from "./machine.ts";
import { type Rival, type RivalServer, startRivalServer } from "./rivals/rivals.ts";
import type { Rounds } from "./rounds.ts";

export type Workload = {
  readonly name: string;
  /** One line for the help. */
  readonly summary: string;
  /** Too long to be run unless it is asked for by its name. */
  readonly onlyByName?: boolean;
  /** The metric that counts, of those in its samples. */
  readonly headline: string;
  /** Of what is measured, per round. */
  readonly defaultCount: number;
  /** Those that can do the same. */
  readonly rivals: readonly Rival[];
  readonly run: (setting: Setting) => Promise<Result>;
};

type Result = {
  readonly rounds: Rounds;
  /** How it was measured, beside the rounds and the count. */
  readonly settings?: Readonly<Record<string, string | number>>;
};

export type Amounts = {
  readonly rounds: number;
  /** Of what a round measures, per round. */
  readonly count: number;
};

/** What a workload runs in: a nats-server of its own, and the processes that it starts. Everything is stopped at the end. */
export type SettingOptions = {
  readonly amounts: Amounts;
  readonly rivals: readonly Rival[];
  readonly say: (line: string) => void;
  /** The file of the workflow that is replayed; null for a small one. */
  readonly workflow: string | null;
  /** Where to write CPU profiles; null for none. */
  readonly profileFolder: string | null;
};

export class Setting {
  readonly amounts: Amounts;
  /** Those that take part. */
  readonly rivals: readonly Rival[];
  readonly server: NatsServer;
  /** Tells how far the run is. */
  readonly say: (line: string) => void;
  readonly workflow: string | null;
  private readonly options: SettingOptions;
  private readonly children: Child<Contract>[] = [];
  private readonly rivalServers = new Map<Rival, RivalServer>();

  static async open(options: SettingOptions): Promise<Setting> {
    return new Setting(options, await startNatsServer());
  }

  private constructor(options: SettingOptions, server: NatsServer) {
    const { amounts, rivals, say, workflow } = options;
    this.options = options;
    this.amounts = amounts;
    this.rivals = rivals;
    this.server = server;
    this.say = say;
    this.workflow = workflow;
  }

  /** One like it, with a nats-server of its own: what was before does not count, and takes no room on the disk. */
  another(): Promise<Setting> {
    return Setting.open(this.options);
  }

  /**
   * @param server Of a rival; else the nats-server.
   * @param more What else the process is told.
   */
  async startChild<Answers extends Contract>(
    entry: URL,
    server: string = this.server.url,
    ...more: readonly string[]
  ): Promise<Child<Answers>> {
    const { profileFolder } = this.options;
    const child = await Child.start<Answers>({ entry, args: [server, ...more], profileFolder });
    this.children.push(child as Child<Contract>);
    return child;
  }

  /** The server of a rival, started when it is asked for first, and stopped at the end. */
  async rivalServer(rival: Rival): Promise<RivalServer> {
    const running = this.rivalServers.get(rival);
    if (running !== undefined) return running;
    this.say(`starting the server of ${rival}`);
    const started = await startRivalServer(rival);
    this.rivalServers.set(rival, started);
    return started;
  }

  /** Of all that takes part. */
  get versions(): Readonly<Record<string, string>> {
    const ofRivals = [...this.rivalServers.values()].map((server) => server.versions);
    return Object.assign(versions(this.server.version), ...ofRivals);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let last = this.children.pop(); last !== undefined; last = this.children.pop()) await last.stop();
    for (const server of this.rivalServers.values()) await server[Symbol.asyncDispose]();
    await this.server.stop();
  }
}
