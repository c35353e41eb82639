/** What a workload is: how the bench runs one, and what it gives back. */
import { type NatsServer, startNatsServer } from "@weft/testing";
import { Child } from "./child.ts";
import type { Contract } from "./child-contract.ts";

export type Workload = {
  readonly name: string;
  /** One line for the help. */
  readonly summary: string;
  /** Of what is measured, per round. */
  readonly defaultCount: number;
  readonly run: (setting: Setting) => Promise<Result>;
};

export type Result = {
  /** The workload's part of the JSON object. */
  readonly figures: Readonly<Record<string, unknown>>;
  readonly table: Table;
  /** Sentences under the table. */
  readonly notes: readonly string[];
};

export type Table = { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

export type Amounts = {
  readonly rounds: number;
  /** Of what a round measures, per round. */
  readonly count: number;
  /** Whether the rivals take part, where the workload has any. */
  readonly rivals: boolean;
};

/** What a workload runs in: a nats-server of its own, and the processes that it starts. Everything is stopped at the end. */
export class Setting {
  readonly amounts: Amounts;
  readonly server: NatsServer;
  /** Tells how far the run is. */
  readonly say: (line: string) => void;
  private readonly profileFolder: string | null;
  private readonly children: Child<Contract>[] = [];
  private readonly rivals: AsyncDisposable[] = [];

  static async open(
    amounts: Amounts,
    say: (line: string) => void,
    profileFolder: string | null,
  ): Promise<Setting> {
    return new Setting(amounts, await startNatsServer(), say, profileFolder);
  }

  private constructor(
    amounts: Amounts,
    server: NatsServer,
    say: (line: string) => void,
    profileFolder: string | null,
  ) {
    this.amounts = amounts;
    this.server = server;
    this.say = say;
    this.profileFolder = profileFolder;
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
    const { profileFolder } = this;
    const child = await Child.start<Answers>({ entry, args: [server, ...more], profileFolder });
    this.children.push(child as Child<Contract>);
    return child;
  }

  /** The server of a rival: it is stopped at the end, after the processes. */
  adopt<Server extends AsyncDisposable>(server: Server): Server {
    this.rivals.push(server);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let last = this.children.pop(); last !== undefined; last = this.children.pop()) await last.stop();
    for (const rival of this.rivals) await rival[Symbol.asyncDispose]();
    await this.server.stop();
  }
}
