import { createServer, type Server, type Socket } from "node:net";
import {
  type Identity,
  type InstanceId,
  JetStreamDisabledError,
  NATS_VERSION_MIN,
  UnreachableError,
  UnsupportedServerError,
} from "@weft/protocol";
import { afterEach, describe, expect, test } from "vitest";
import { type NatsServer, startNatsServer, waitUntil } from "../../testing/src/index.ts";
import {
  type ConnectionOptions,
  closeConnection,
  openConnection,
  type SystemConnection,
} from "../src/index.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(options: Parameters<typeof startNatsServer>[0] = {}): Promise<NatsServer> {
  const server = await startNatsServer(options);
  cleanups.push(() => server.stop());
  return server;
}

async function open(options: ConnectionOptions): Promise<SystemConnection> {
  const connection = await openConnection("me" as Identity, "i1" as InstanceId, options);
  cleanups.push(() => connection.nats.close());
  return connection;
}

async function failureOf(options: ConnectionOptions): Promise<Error> {
  try {
    await open(options);
  } catch (error) {
    return error as Error;
  }
  throw new Error("it connected");
}

/** What accepts connections and speaks as the test says, or not at all. */
async function fakeServer(speak: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    speak(socket);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `nats://127.0.0.1:${address.port}`;
}

/** As much of a nats-server as a client needs to believe that it is connected. */
function natsOf(info: object): (socket: Socket) => void {
  const common = { server_id: "A", server_name: "old-one", proto: 1, headers: true, max_payload: 1_048_576 };
  return (socket) => {
    socket.write(`INFO ${JSON.stringify({ ...common, ...info })}\r\n`);
    socket.on("data", (data) => {
      if (data.toString().includes("PING")) socket.write("PONG\r\n");
    });
  };
}

describe("a server that cannot be used", () => {
  test("because nothing listens at its address is reported within the time given, with the address", async () => {
    const server = await start();
    await server.stop();
    const startedMs = performance.now();
    const error = await failureOf({ servers: server.url, connectTimeoutMs: 400 });
    const passedMs = performance.now() - startedMs;
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error).toMatchObject({ code: "weft_unreachable", retryable: true, servers: [server.url] });
    expect(error.message).toMatch(/^no NATS server answered at nats:\/\/127\.0\.0\.1:\d+ within 0\.\d s \(/);
    expect(passedMs).toBeGreaterThan(200);
    expect(passedMs).toBeLessThan(3_000);
  });

  test("because it accepts and says nothing is given up within the time given", async () => {
    const url = await fakeServer(() => undefined);
    const startedMs = performance.now();
    expect(await failureOf({ servers: url, connectTimeoutMs: 500 })).toBeInstanceOf(UnreachableError);
    expect(performance.now() - startedMs).toBeLessThan(3_000);
  });

  test("because it is no NATS server is given up, too", async () => {
    const url = await fakeServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await failureOf({ servers: url, connectTimeoutMs: 500 })).toBeInstanceOf(UnreachableError);
  });

  test("because it is too old is told by its name and version", async () => {
    let ended = false;
    const speak = natsOf({ version: "2.9.0", jetstream: true });
    const url = await fakeServer((socket) => {
      speak(socket);
      socket.on("close", () => {
        ended = true;
      });
    });
    const error = await failureOf({ servers: url });
    expect(error).toBeInstanceOf(UnsupportedServerError);
    expect(error.message).toBe(
      `nats-server 2.9.0 (old-one) is too old: Weft needs ${NATS_VERSION_MIN} or newer`,
    );
    await waitUntil(() => ended, { what: "the end of the connection" });
  });

  test("is usable at the oldest version that will do", async () => {
    const url = await fakeServer(natsOf({ version: NATS_VERSION_MIN, jetstream: true }));
    expect((await open({ servers: url })).nats.info?.version).toBe(NATS_VERSION_MIN);
  });

  test("because it has no JetStream is told by its address", async () => {
    const server = await start({ jetstream: false });
    const error = await failureOf({ servers: server.url });
    expect(error).toBeInstanceOf(JetStreamDisabledError);
    expect(error.message).toContain(`the NATS server at 127.0.0.1:${server.port} runs without JetStream`);
  });
});

describe("a server that asks for a password", () => {
  const config = 'authorization { user: "weft", password: "p@ss:word" }';
  const login = `weft:${encodeURIComponent("p@ss:word")}`;

  test("takes the one in the address", async () => {
    const server = await start({ config });
    const connection = await open({ servers: server.url.replace("nats://", `nats://${login}@`) });
    await connection.nats.flush();
  });

  test("refuses another one at once, without a word of it in the message", async () => {
    const server = await start({ config });
    const startedMs = performance.now();
    const error = await failureOf({ servers: server.url.replace("nats://", "nats://weft:guess@") });
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toMatch(/authorization violation/i);
    expect(error.message).not.toContain("guess");
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  test("takes a token in the address", async () => {
    const server = await start({ config: 'authorization { token: "s3cret" }' });
    await (await open({ servers: server.url.replace("nats://", "nats://s3cret@") })).nats.flush();
  });
});

describe("a connection", () => {
  test("waits for a server that comes up in time", async () => {
    const server = await start();
    server.kill();
    await server.exited;
    const opening = open({ servers: server.url, connectTimeoutMs: 20_000 });
    await server.restart();
    await (await opening).nats.flush();
  });

  test("takes the server that lives, of several", async () => {
    const [dead, live] = [await start(), await start()];
    await dead.stop();
    const connection = await open({ servers: [dead.url, live.url] });
    expect(connection.nats.getServer()).toBe(`127.0.0.1:${live.port}`);
  });

  test("has the two tokens of its sender in front of every inbox", async () => {
    const { nats, sender } = await open({ servers: (await start()).url });
    expect(sender).toBe("me.i1");
    const inboxes: (string | undefined)[] = [];
    nats.subscribe("ask", {
      callback: (_, message) => {
        inboxes.push(message.reply);
        message.respond("yes");
      },
    });
    await nats.request("ask", "", { timeout: 5_000 });
    expect(inboxes[0]).toMatch(/^_I\.me\.i1\./);
  });

  test("comes back to a server that was away", async () => {
    const server = await start();
    const { nats } = await open({ servers: server.url });
    const heard: string[] = [];
    nats.subscribe("news", { callback: (_, message) => void heard.push(message.string()) });
    await nats.flush();
    server.kill();
    await server.exited;
    await server.restart();
    await waitUntil(() => {
      nats.publish("news", "back");
      return heard.includes("back");
    });
  });

  test("has sent everything when it is closed, and may be closed again", async () => {
    const server = await start();
    const listener = await open({ servers: server.url });
    const heard: string[] = [];
    listener.nats.subscribe("news", { callback: (_, message) => void heard.push(message.string()) });
    await listener.nats.flush();
    const speaker = await open({ servers: server.url });
    for (let i = 0; i < 1_000; i++) speaker.nats.publish("news", String(i));
    await closeConnection(speaker);
    await closeConnection(speaker);
    await waitUntil(() => heard.length === 1_000);
    expect(speaker.nats.isClosed()).toBe(true);
  });

  test("is closed in a bounded time while its server is away", async () => {
    const server = await start();
    const connection = await open({ servers: server.url });
    server.kill();
    await server.exited;
    connection.nats.publish("news", "lost");
    const startedMs = performance.now();
    await closeConnection(connection);
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    expect(connection.nats.isClosed()).toBe(true);
  });
});
