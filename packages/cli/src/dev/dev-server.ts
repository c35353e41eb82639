/** The nats-server of `weft dev`: on its usual port where that is free, with a store that survives restarts. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findNatsServer, isPortTaken, type NatsServer, startNatsServer } from "@weft/testing";
import { claimStore, type StoreClaim } from "./store-claim.ts";

export type DevServerOptions = {
  /** @default ".weft/nats" */
  readonly storeDir?: string;
  /** Taken as it is: a port in use is an error. @default 4222, or a free one where it is taken */
  readonly port?: number;
  /** Nothing is kept. */
  readonly memory: boolean;
  /** Told when it takes longer, as a download does. */
  readonly note: (text: string) => void;
};

export type DevServer = { readonly server: NatsServer; readonly stop: () => Promise<void> };

const STORE_DIR = join(".weft", "nats");
const PORT = 4222;
/** A large store takes a while to be read. */
const READY_TIMEOUT_MS = 60_000;

export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { path: binary } = await findNatsServer({ onProgress: options.note });
  const claim = options.memory ? null : await claimStore(options.storeDir ?? (await defaultStore()));
  try {
    const server = await start(binary, options.port, claim);
    await claim?.hold(server.pid, server.url);
    const stop = async (): Promise<void> => {
      await server.stop();
      await claim?.release();
    };
    return { server, stop };
  } catch (error) {
    await claim?.release();
    throw error;
  }
}

async function start(
  binary: string,
  port: number | undefined,
  claim: StoreClaim | null,
): Promise<NatsServer> {
  const common = {
    binary,
    readyTimeoutMs: READY_TIMEOUT_MS,
    ...(claim === null ? {} : { storeDir: claim.storeDir }),
  };
  try {
    return await startNatsServer({ ...common, port: port ?? PORT });
  } catch (error) {
    if (port !== undefined || !isPortTaken(error)) throw error;
    return startNatsServer({ ...common, port: 0 });
  }
}

/** In the folder that it is started in, and out of its version control. */
async function defaultStore(): Promise<string> {
  const folder = dirname(STORE_DIR);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, ".gitignore"), "*\n");
  return STORE_DIR;
}
