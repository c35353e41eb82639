/** The simulated server. Its time goes on by itself while a case runs. */
import { Identity, InstanceId } from "@weft/protocol";
import { Dice, SimLoop, SimProcess, SimServer } from "@weft/testing/simulation";
import type { Case, StreamSetup, Target, TestConnection } from "./target.ts";

export class SimTarget implements Target {
  readonly replicas: 1 | 3;
  private readonly loop = new SimLoop();
  private readonly dice: Dice;
  private readonly server: SimServer;
  private processes = 0;

  constructor(replicas: 1 | 3, seed: number) {
    this.replicas = replicas;
    this.dice = new Dice(seed);
    this.server = new SimServer(this.loop, this.dice.fork(), { replicas });
  }

  connect(): Promise<TestConnection> {
    const name = `case${++this.processes}`;
    const process = new SimProcess(name, this.loop, this.dice.fork());
    const connection = this.server.connect(process, Identity.parse("case"), InstanceId.parse(name));
    return Promise.resolve({
      ...connection,
      flush: () => connection.nats.flush(),
      cut: ({ mutedMs, downMs }) =>
        this.server.cut(process, mutedMs + downMs, { mutedMs, noticedMs: mutedMs }),
    });
  }

  createStream(name: string, setup: Partial<StreamSetup> = {}): Promise<void> {
    this.server.createStream(name, { subjects: [`${name}.>`], ...setup });
    return Promise.resolve();
  }

  restart(stream: string): Promise<void> {
    this.server.killReaderOf(stream, 200);
    return Promise.resolve();
  }

  loseLeader(stream: string): Promise<void> {
    this.server.killLeader(stream, 60_000);
    return Promise.resolve();
  }

  async play(each: Case): Promise<void> {
    let isOver = false;
    const work = each.run(this).finally(() => {
      isOver = true;
    });
    work.catch(() => undefined);
    await this.loop.play(600_000, () => isOver);
    await work;
  }
}
