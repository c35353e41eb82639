/** A process of a fault run: it is killed, frozen and stopped, and there is another in its place, as in production. */

export type Life = {
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<unknown>;
};

type Report = (title: string, lastSaid: readonly string[]) => void;

export type PartyOptions<L extends Life> = PartyReports & {
  /** Such as `worker 1`; the same for all that take its place. */
  readonly title: string;
  readonly start: () => L;
};

export type PartyReports = {
  /** Told when it ends though nobody ended it. */
  readonly onDeath: Report;
  /** Told when it has not ended so long after SIGTERM that it has to be killed. */
  readonly onStubborn: Report;
};

const STOP_MAX_MS = 20_000;
const OUTPUT_LINES = 20;
const START_AGAIN_MS = 1_000;

export abstract class Party<L extends Life = Life> {
  readonly title: string;
  protected life: L;
  private readonly options: PartyOptions<L>;
  /** Those that are to end. */
  private readonly leaving = new WeakSet<L>();

  constructor(options: PartyOptions<L>) {
    this.title = options.title;
    this.options = options;
    this.life = this.begin();
  }

  get pid(): number {
    return this.life.pid;
  }

  /** Resolves when the one that runs now takes part. */
  abstract ready(): Promise<void>;

  /** The end of what it said, for the story of something that went wrong. */
  abstract tail(lines: number): readonly string[];

  /** SIGKILL, and at once another in its place. */
  async replace(): Promise<void> {
    await this.end();
    this.succeed();
  }

  /** SIGTERM, and another in its place once it has ended, which may take as long as it does in production. */
  async retire(): Promise<void> {
    const { life } = this;
    this.leaving.add(life);
    life.kill("SIGTERM");
    const late = setTimeout(() => {
      this.options.onStubborn(this.title, this.tail(OUTPUT_LINES));
      life.kill("SIGKILL");
    }, STOP_MAX_MS);
    await life.exited;
    clearTimeout(late);
    this.succeed();
  }

  /** SIGSTOP, and SIGCONT after so long. */
  async freeze(forMs: number): Promise<void> {
    const { life } = this;
    life.kill("SIGSTOP");
    await new Promise((over) => setTimeout(over, forMs));
    life.kill("SIGCONT");
  }

  async end(): Promise<void> {
    const { life } = this;
    this.leaving.add(life);
    life.kill("SIGKILL");
    await life.exited;
  }

  protected succeed(): void {
    this.life = this.begin();
  }

  private begin(): L {
    const life = this.options.start();
    void life.exited.then(() => {
      if (this.leaving.has(life)) return;
      this.options.onDeath(this.title, this.tail(OUTPUT_LINES));
      setTimeout(() => {
        if (!this.leaving.has(life)) this.succeed();
      }, START_AGAIN_MS);
    });
    return life;
  }
}
