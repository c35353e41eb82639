/** Those that Weft is compared with, each on its own real server. */
import { startPostgresServer } from "./postgres-server.ts";
import { startRedisServer } from "./redis-server.ts";

export const RIVALS = ["bullmq", "graphile-worker", "pg-boss"] as const;
export type Rival = (typeof RIVALS)[number];

/** The server of a rival: on a free port of loopback, with the settings at which the rival is fastest. */
export type RivalServer = AsyncDisposable & {
  /** As the rival's own client takes it. */
  readonly url: string;
  readonly pid: number;
  /** Of the server and of the rival's library. */
  readonly versions: Readonly<Record<string, string>>;
};

export async function startRivalServer(rival: Rival): Promise<RivalServer> {
  return rival === "bullmq" ? startRedisServer() : startPostgresServer(rival);
}
