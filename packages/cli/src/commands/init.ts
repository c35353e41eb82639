import { createNamespace, DURABILITIES, type Durability, type NamespaceOptions } from "@weft/coordinator";
import { Command } from "commander";
import { withCluster } from "../cluster.ts";
import { examples, globalsOf } from "../invocation.ts";
import { parseBytes, parseChoice, parseDurationMs, parseWhole } from "../quantity.ts";

type InitOptions = {
  readonly durability?: Durability;
  readonly purgeAge?: number;
  readonly replicas?: number;
  readonly logBytesMax?: number;
};

const REPLICAS_MAX = 5;

export function initCommand(): Command {
  return new Command("init")
    .description(
      "Create the namespace: the log that everything else of the cluster is made from. Does nothing where it is there.",
    )
    .option(
      "--durability <PROFILE>",
      "what the log survives: memory, standard or strict (default: standard)",
      (text) => parseChoice(text, "--durability", DURABILITIES),
    )
    .option(
      "--replicas <N>",
      "copies of the log (default: 1, or 3 in a NATS cluster of three and more)",
      (text) => parseWhole(text, "--replicas", { least: 1, most: REPLICAS_MAX }),
    )
    .option("--log-bytes-max <SIZE>", "most that the log may take, such as 512MiB (default: 10GiB)", (text) =>
      parseBytes(text, "--log-bytes-max"),
    )
    .option(
      "--purge-age <TIME>",
      "how old a checkpoint must be before the log is purged up to it: twice the servers' sync_interval (default: 4m; 0s for memory and strict)",
      (text) => parseDurationMs(text, "--purge-age"),
    )
    .addHelpText("after", examples("weft init --namespace orders --log-bytes-max 512MiB"))
    .action(async (options: InitOptions, command: Command) => {
      const { address, output } = globalsOf(command);
      const { namespace } = address;
      await withCluster(address, async (cluster) => {
        const created = await cluster.isNamespaceMissing();
        const { stream } = await createNamespace(
          cluster.connection.nats,
          namespace,
          namespaceOptions(options),
        );
        const answer = created
          ? `created the namespace "${namespace}": its log is the stream ${stream}`
          : `the namespace "${namespace}" is there already (stream ${stream}): nothing was changed`;
        output.answer({ namespace, stream, created }, [answer]);
      });
    });
}

function namespaceOptions({ durability, purgeAge, replicas, logBytesMax }: InitOptions): NamespaceOptions {
  return {
    ...(durability === undefined ? {} : { durability }),
    ...(purgeAge === undefined ? {} : { purgeAgeMs: purgeAge }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(logBytesMax === undefined ? {} : { logBytesMax }),
  };
}
