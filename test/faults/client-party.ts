/** A client of a fault run, in a process of its own. Whoever takes its place follows the tasks that it left. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@weft/testing";
import type { Account } from "./account.ts";
import type { FromClient, LoadSize, ToClient } from "./facts.ts";
import type { Place } from "./network.ts";
import { type Life, Party, type PartyReports } from "./party.ts";

const MAIN = fileURLToPath(new URL("./client-process.ts", import.meta.url));
const READY_MAX_MS = 120_000;

type ClientLife = Life & {
  readonly source: string;
  readonly send: (message: ToClient) => void;
  isReady: boolean;
};

export type ClientPartyOptions = {
  readonly index: number;
  readonly place: Place;
  readonly account: Account;
  readonly seed: number;
  readonly tell: (line: string) => void;
  readonly reports: PartyReports;
};

export class ClientParty extends Party<ClientLife> {
  private readonly account: Account;
  /** Null while it is to submit nothing. */
  private size: LoadSize | null = null;
  private left: readonly string[] = [];

  constructor(options: ClientPartyOptions) {
    let lives = 0;
    super({
      title: `client ${options.index}`,
      start: () => startClient(options, ++lives),
      ...options.reports,
    });
    this.account = options.account;
  }

  load(size: LoadSize): void {
    this.size = size;
    this.life.send({ type: "load", size });
  }

  stop(): void {
    this.size = null;
    this.life.send({ type: "stop" });
  }

  /** The ids of the tasks that the one before left, and that the one that runs now follows. */
  get inherited(): readonly string[] {
    return this.left;
  }

  async ready(): Promise<void> {
    await waitUntil(() => this.life.isReady, { what: `${this.title} to be ready`, timeoutMs: READY_MAX_MS });
  }

  tail(): readonly string[] {
    return [];
  }

  protected override succeed(): void {
    const { source } = this.life;
    super.succeed();
    const { life } = this;
    this.left = this.account.handOver(source, life.source);
    // Both wait in the channel until the process reads them.
    life.send({ type: "follow", ids: this.left });
    if (this.size !== null) life.send({ type: "load", size: this.size });
  }
}

function startClient({ index, place, account, seed, tell }: ClientPartyOptions, number: number): ClientLife {
  const source = `client ${index}.${number}`;
  const args = [MAIN, place.urls.join(","), String(seed + number)];
  const [file = process.execPath, ...rest] = [...place.through, process.execPath, ...args];
  const child = spawn(file, rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const life: ClientLife = {
    source,
    pid: child.pid ?? 0,
    isReady: false,
    kill: (signal) => void child.kill(signal),
    // Not before the last of its messages is here.
    exited: new Promise((resolve) => child.once("close", resolve)),
    send: (message) => void child.send(message, () => undefined),
  };
  child.on("message", (message: FromClient) => {
    if (message.type === "facts") for (const fact of message.facts) account.note(source, fact);
    else if (message.type === "ready") life.isReady = true;
    else tell(`${source}: ${message.message}`);
  });
  child.on("error", (error) => tell(`${source}: ${error.message}`));
  return life;
}
