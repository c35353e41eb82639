export type NatsClusterMembership = {
  /** The same on every node. */
  readonly name: string;
  /** The port on which the other nodes reach this one. */
  readonly port: number;
  /** The nodes of the cluster as `nats://HOST:PORT`, this one may be among them. */
  readonly routes: readonly string[];
  /** Whether the nodes tell clients of each other. @default true */
  readonly advertise?: boolean;
};

export type ServerConfig = {
  readonly host: string;
  /** -1 lets the server choose. */
  readonly port: number;
  /** -1 lets the server choose; undefined for no monitoring. */
  readonly monitorPort: number | undefined;
  readonly serverName: string | undefined;
  /** Undefined for a server without JetStream. */
  readonly storeDir: string | undefined;
  readonly syncAlways: boolean;
  readonly cluster: NatsClusterMembership | undefined;
  readonly logPath: string;
  readonly portsFolder: string;
  /** Configuration text of the caller, last so that it has the last word. */
  readonly extra: string;
};

const logBytesMax = 4 * 1024 * 1024;

/** The configuration file of a server. Its language reads JSON strings, numbers and objects as they are. */
export function renderServerConfig(config: ServerConfig): string {
  const { host, port, monitorPort, serverName, storeDir, syncAlways, cluster } = config;
  const settings: Record<string, unknown> = {
    host,
    port,
    ports_file_dir: config.portsFolder,
    // To a file, not to a pipe: a busy or dead parent must neither stall the server nor kill it with SIGPIPE.
    log_file: config.logPath,
    logfile_size_limit: logBytesMax,
    logfile_max_num: 1,
  };
  if (serverName !== undefined) settings.server_name = serverName;
  if (monitorPort !== undefined) settings.http = `${bracketed(host)}:${monitorPort}`;
  if (storeDir !== undefined) {
    settings.jetstream = { store_dir: storeDir, ...(syncAlways ? { sync_interval: "always" } : {}) };
  }
  if (cluster !== undefined) {
    const quiet = cluster.advertise === false ? { no_advertise: true } : {};
    settings.cluster = { name: cluster.name, host, port: cluster.port, routes: cluster.routes, ...quiet };
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return [...lines, config.extra, ""].join("\n");
}

/** A host as it stands in an address, where the colons of IPv6 need brackets. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
