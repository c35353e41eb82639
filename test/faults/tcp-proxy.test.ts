import { connect, createServer, type Server, type Socket } from "node:net";
import { waitUntil } from "@weft/testing";
import { Dice } from "@weft/testing/simulation";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TcpProxy } from "./tcp-proxy.ts";

let echo: Server;
let proxy: TcpProxy;
beforeEach(async () => {
  echo = createServer((socket) => socket.on("error", () => undefined).pipe(socket));
  await new Promise<void>((listens) => echo.listen(0, "127.0.0.1", listens));
  const address = echo.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  proxy = await TcpProxy.open({ host: "127.0.0.1", port }, new Dice(1));
});
afterEach(async () => {
  await proxy.close();
  await new Promise((closed) => echo.close(closed));
});

type Caller = { readonly socket: Socket; readonly heard: () => string; readonly failed: () => string | null };

async function call(): Promise<Caller> {
  const socket = connect(proxy.port, "127.0.0.1");
  let heard = "";
  let failed: string | null = null;
  socket.setEncoding("utf8").on("data", (text: string) => {
    heard += text;
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    failed = error.code ?? error.message;
  });
  await waitUntil(() => !socket.connecting);
  return { socket, heard: () => heard, failed: () => failed };
}

async function says(caller: Caller, text: string): Promise<void> {
  const before = caller.heard();
  caller.socket.write(text);
  await waitUntil(() => caller.heard() === before + text);
}

async function direct(): Promise<void> {
  const address = echo.address();
  const socket = connect(typeof address === "object" && address !== null ? address.port : 0, "127.0.0.1");
  await new Promise((answered) => socket.once("data", answered).write("?"));
  socket.destroy();
}

test("what is sent arrives, in order", async () => {
  const caller = await call();
  await says(caller, "one");
  await says(caller, "x".repeat(300_000));
  caller.socket.destroy();
});

test("a slow connection takes its time, in both directions, and keeps the order", async () => {
  const caller = await call();
  proxy.slow({ delayMs: 40, loss: 0.5, retransmitMs: 30 });
  const startedMs = performance.now();
  await says(caller, "one");
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(79);
  for (const word of ["two", "three", "four"]) caller.socket.write(word);
  await waitUntil(() => caller.heard() === "onetwothreefour");
  proxy.mend();
  caller.socket.destroy();
});

test("on a stalled connection nothing comes through, and nobody is told, until it is mended", async () => {
  const caller = await call();
  await says(caller, "one");
  proxy.stall();
  caller.socket.write("two");
  const second = await call();
  second.socket.write("three");
  // Round trips to the target itself show that there was time enough.
  for (let n = 0; n < 5; n++) await direct();
  expect([caller.heard(), second.heard()]).toEqual(["one", ""]);
  proxy.mend();
  await waitUntil(() => caller.heard() === "onetwo" && second.heard() === "three");
  expect([caller.failed(), second.failed()]).toEqual([null, null]);
  for (const { socket } of [caller, second]) socket.destroy();
});

test("a cut resets connections and refuses new ones, until it is mended", async () => {
  const caller = await call();
  await says(caller, "one");
  proxy.cut();
  await waitUntil(() => caller.failed() === "ECONNRESET");
  const refused = await call();
  await waitUntil(() => refused.failed() === "ECONNRESET");
  proxy.mend();
  const welcome = await call();
  await says(welcome, "two");
  welcome.socket.destroy();
});

test("a drop resets connections, and new ones are welcome", async () => {
  const caller = await call();
  await says(caller, "one");
  proxy.drop();
  await waitUntil(() => caller.failed() === "ECONNRESET");
  const welcome = await call();
  await says(welcome, "two");
  welcome.socket.destroy();
});
