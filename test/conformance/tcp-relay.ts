/** A way to a server that can be muted and cut. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class TcpRelay {
  private readonly port: number;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private muted = false;
  private down = false;

  static async start(port: number): Promise<TcpRelay> {
    const server = createServer();
    await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens));
    return new TcpRelay(server, port);
  }

  constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
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
    const server = connect(this.port, "127.0.0.1");
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
