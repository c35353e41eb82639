/** The namespace of a simulation: its streams on the simulated server, and what its coordinators know of it. */
import type { ControlSecret, Subjects } from "@weft/protocol";
import type { SimServer } from "@weft/testing/simulation";
import type { NamespaceConfig } from "../../packages/coordinator/src/shell/namespace.ts";

export type SimNamespace = {
  readonly subjects: Subjects;
  readonly secret: ControlSecret;
  readonly purgeAgeMs: number;
  readonly logBytesMax: number;
};

export function createSimNamespace(server: SimServer, namespace: SimNamespace): NamespaceConfig {
  const { subjects, secret, purgeAgeMs, logBytesMax } = namespace;
  const stream = subjects.stream(0);
  for (const [name, captured, bytesMax] of [
    [stream, subjects.logAll(0), logBytesMax],
    [subjects.checkpointStream(0), subjects.checkpointAll(0), -1],
    [subjects.blobStream(0), subjects.blobAll(0), -1],
  ] as const)
    server.createStream(name, { subjects: [captured], bytesMax, metadata: {} });
  return {
    namespace: subjects.namespace,
    stream,
    partitions: 1,
    secret,
    durability: "standard",
    purgeAgeMs,
    logBytesMax,
  };
}
