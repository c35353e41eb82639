/** A way to a server that can be muted and cut. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class TcpRelay {
  /** Of the nodes, in the order in which they are tried. */
  private readonly ports: number[];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private muted = false;
  private down = false;

  static async start(ports: readonly number[]): Promise<TcpRelay> {
    const server = createServer();
    await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens));
    return new TcpRelay(server, ports);
  }

  constructor(server: Server, ports: readonly number[]) {
    this.server = server;
    this.ports = [...ports];
    server.on("connection", (client) => this.join(client));
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What is sent either way is lost, without an error. */
  mute(): void {
    this.muted = true;
  }

  cut(): void {
    this.down = true;
    for (const socket of this.sockets) socket.destroy();
  }

  restore(): void {
    this.muted = false;
    this.down = false;
  }

  stop(): void {
    this.cut();
    this.server.close();
  }

  private join(client: Socket): void {
    if (this.down) return void client.destroy();
    const server = connect(this.ports[0] ?? 0, "127.0.0.1");
    // Where that node is gone, the client's next try goes to another.
    server.once("error", () => this.ports.push(...this.ports.splice(0, 1)));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => undefined);
      from.on("data", (data) => {
        if (!this.muted) to.write(data);
      });
      from.on("close", () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
