/** The checks of `weft doctor`, in the order in which one needs the other. A failed one ends those that rest on it. */
import { type Durability, openNamespace } from "@weft/coordinator";
import { type InfoReport, NATS_VERSION_MIN, WeftError, withoutCredentials } from "@weft/protocol";
import { findNatsServer } from "@weft/testing";
import { isAtLeast } from "@weft/transport";
import { Cluster, type ClusterAddress } from "./cluster.ts";
import { oneLine } from "./output.ts";
import { readInfoReport, readWorkerReports } from "./report-reader.ts";

export type Check = {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
  /** Whether it is about the cluster, not about this machine. */
  readonly isCluster: boolean;
};

const NODE_VERSION_MIN = "22.18.0";
const NAMES_TOLD_MAX = 20;

export async function* examine(address: ClusterAddress, fetch: boolean): AsyncGenerator<Check> {
  yield node();
  yield await natsServer(fetch);
  const { checks, cluster } = await reach(address);
  yield* checks;
  if (cluster === null) return;
  try {
    const namespace = await namespaceThere(cluster, address);
    yield namespace;
    if (namespace.status === "fail") return;
    yield* durability(cluster, address);
    yield* leaderAndWorkers(cluster);
  } finally {
    await cluster.close();
  }
}

function node(): Check {
  const version = process.versions.node;
  const fits = isAtLeast(version, NODE_VERSION_MIN);
  return {
    name: "node",
    status: fits ? "ok" : "fail",
    message: fits ? version : `${version} is too old: Weft needs ${NODE_VERSION_MIN} or newer`,
    ...(fits ? {} : { advice: "install a newer Node.js" }),
    isCluster: false,
  };
}

/** Only `weft dev` needs one on this machine, so that none is no failure. */
async function natsServer(fetch: boolean): Promise<Check> {
  const own = { name: "nats-server", isCluster: false } as const;
  try {
    // What is told of is a fetch that is about to begin: a throw keeps it from beginning.
    const onProgress = (what: string): void => {
      if (!fetch) throw new Error(`not tried, it means ${what}`);
    };
    const { path, version, way } = await findNatsServer({ onProgress });
    return { ...own, status: "ok", message: `${version} at ${path} (${way.replaceAll("_", " ")})` };
  } catch (error) {
    if (!WeftError.is(error)) throw error;
    const named = error.code !== "weft_nats_server_not_found";
    return {
      ...own,
      status: named || fetch ? "fail" : "warn",
      message: named || fetch ? error.message : "none on this machine; only `weft dev` needs one",
      advice: named
        ? "set WEFT_NATS_SERVER to one that works, or unset it"
        : "`weft doctor --fetch` downloads one into the cache, `weft dev` does so by itself",
    };
  }
}

type Reached = { readonly checks: readonly Check[]; readonly cluster: Cluster | null };

async function reach(address: ClusterAddress): Promise<Reached> {
  const where = address.servers.map(withoutCredentials).join(", ");
  const server = (status: Check["status"], message: string, advice?: string): Check => {
    return { name: "server", status, message, isCluster: true, ...(advice === undefined ? {} : { advice }) };
  };
  const jetstream = (status: Check["status"], message: string): Check => {
    return { name: "jetstream", status, message, isCluster: true };
  };
  try {
    const cluster = await Cluster.open(address);
    const { nats } = cluster.connection;
    const answer = `nats-server ${nats.info?.version ?? "?"} answers at ${nats.getServer()}`;
    return { checks: [server("ok", answer), jetstream("ok", "on")], cluster };
  } catch (error) {
    if (WeftError.is(error, "weft_jetstream_disabled")) {
      return {
        checks: [server("ok", `answers at ${where}`), jetstream("fail", error.message)],
        cluster: null,
      };
    }
    const advice = WeftError.is(error, "weft_unsupported_server")
      ? `run nats-server ${NATS_VERSION_MIN} or newer`
      : undefined;
    return {
      checks: [server("fail", error instanceof Error ? error.message : String(error), advice)],
      cluster: null,
    };
  }
}

async function namespaceThere(cluster: Cluster, { namespace }: ClusterAddress): Promise<Check> {
  const own = { name: "namespace", isCluster: true } as const;
  if (!(await cluster.isNamespaceMissing())) return { ...own, status: "ok", message: `"${namespace}"` };
  return {
    ...own,
    status: "fail",
    message: `"${namespace}" has no log on this NATS server`,
    advice: `\`weft init --namespace ${namespace}\` creates it, and so does \`weft coordinator --create\``,
  };
}

/** Nothing where the credentials may not look at the log, as those of clients. */
async function* durability(cluster: Cluster, { namespace }: ClusterAddress): AsyncGenerator<Check> {
  const own = { name: "durability", isCluster: true } as const;
  let profile: Durability;
  try {
    ({ durability: profile } = await openNamespace(cluster.connection.nats, namespace));
  } catch (error) {
    if (WeftError.is(error)) yield { ...own, status: "fail", message: error.message };
    return;
  }
  if (profile === "standard") yield { ...own, status: "ok", message: "standard: the log is kept in files" };
  if (profile === "memory")
    yield {
      ...own,
      status: "warn",
      message: "memory: the log is lost when the server ends",
      advice: "for tests only",
    };
  if (profile === "strict")
    yield {
      ...own,
      status: "warn",
      message: "strict: the log is kept in files; whether the servers sync each write, no client can see",
      advice: "see to it that every server has `sync_interval: always` in its jetstream block",
    };
}

async function* leaderAndWorkers(cluster: Cluster): AsyncGenerator<Check> {
  const own = { isCluster: true } as const;
  let info: ReturnType<typeof readInfoReport>;
  try {
    info = readInfoReport(await cluster.report({ type: "info" }));
  } catch (error) {
    if (!WeftError.is(error)) throw error;
    yield {
      ...own,
      name: "leader",
      status: "fail",
      message: error.message,
      advice: "`weft coordinator` starts one",
    };
    return;
  }
  const { leader, host, pid, epoch, foldedSeq, tasks } = info;
  const live = tasks.waiting + tasks.backing_off + tasks.released + tasks.cancelling;
  const counts = `${foldedSeq} records folded, ${live} tasks live, ${tasks.settled} settled`;
  yield {
    ...own,
    name: "leader",
    status: "ok",
    message: `${leader} on ${host} (pid ${pid}, epoch ${epoch}): ${counts}`,
  };
  yield standbys(info);
  yield await workers(cluster);
  yield voidRecords(info.voided);
}

/** One coordinator is enough while it lives. */
function standbys({ leader, foldedSeq, coordinators }: InfoReport): Check {
  const own = { name: "standbys", status: "ok", isCluster: true } as const;
  const others = coordinators.filter(({ id }) => id !== leader);
  if (others.length === 0)
    return {
      ...own,
      message: "none: while the leader is away tasks wait",
      advice: "`weft coordinator` starts one",
    };
  const told = others.map(
    ({ id, host, pid, foldedSeq: seq }) =>
      `${id} on ${host} (pid ${pid}, ${Math.max(0, foldedSeq - seq)} records behind a moment ago)`,
  );
  return { ...own, message: told.join(", ") };
}

async function workers(cluster: Cluster): Promise<Check> {
  const own = { name: "workers", isCluster: true } as const;
  const live = readWorkerReports(await cluster.report({ type: "workers" }));
  if (live.length === 0) {
    return {
      ...own,
      status: "warn",
      message: "none is live: tasks wait",
      advice: "`weft worker FILES` starts one",
    };
  }
  const names = [...new Set(live.flatMap((worker) => worker.names))].sort();
  const slots = live.reduce((sum, worker) => sum + worker.slots, 0);
  const more = names.length > NAMES_TOLD_MAX ? `, … ${names.length - NAMES_TOLD_MAX} more` : "";
  const told = `${live.length} live with ${slots} slots, for the tasks ${names.slice(0, NAMES_TOLD_MAX).join(", ")}${more}`;
  return { ...own, status: "ok", message: told };
}

function voidRecords(voided: Readonly<Record<string, number>>): Check {
  const own = { name: "void records", isCluster: true } as const;
  const kinds = Object.entries(voided);
  if (kinds.length === 0) return { ...own, status: "ok", message: "none" };
  const told = kinds.map(([kind, count]) => `${count} x ${oneLine(kind)}`).join("; ");
  return {
    ...own,
    status: "warn",
    message: told,
    advice:
      "a few repeats after a lost connection are normal; else look for a sender that does not speak Weft's protocol",
  };
}
