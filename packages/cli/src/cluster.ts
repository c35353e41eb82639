/** The cluster that a command talks to: one connection, and questions to the leader. */
import { openNamespace } from "@weft/coordinator";
import {
  ASK_IDS_MAX,
  DefectError,
  Identity,
  InstanceId,
  type Namespace,
  NamespaceMissingError,
  NoLeaderError,
  type Question,
  ResultExpiredError,
  Subjects,
  type TaskId,
  UnknownTaskError,
  WeftError,
} from "@weft/protocol";
import { type AnswerOf, ask, closeConnection, openConnection, type SystemConnection } from "@weft/transport";

/** Where the cluster is, from the options that every command has. */
export type ClusterAddress = {
  readonly servers: readonly string[];
  readonly namespace: Namespace;
  /** How long to wait for a server, and then for a leader's answer. */
  readonly connectTimeoutMs: number;
};

/** A question that is answered with a report for people. */
type ReportQuestion = Exclude<Question, { readonly type: "states" | "values" }>;

/** The first token of every command's name in subjects. */
export const CLI_IDENTITY: Identity = Identity.parse("cli");
const NAMESPACE_CHECK_MS = 1_000;

export class Cluster {
  readonly connection: SystemConnection;
  readonly subjects: Subjects;
  private readonly address: ClusterAddress;

  static async open(address: ClusterAddress): Promise<Cluster> {
    const { servers, connectTimeoutMs } = address;
    return new Cluster(
      await openConnection(CLI_IDENTITY, InstanceId.create(), { servers, connectTimeoutMs }),
      address,
    );
  }

  private constructor(connection: SystemConnection, address: ClusterAddress) {
    this.connection = connection;
    this.address = address;
    this.subjects = new Subjects(address.namespace);
  }

  /** The leader's report, not yet read. Rejects with `NamespaceMissingError` where that is why no leader answers. */
  async report(question: ReportQuestion): Promise<unknown> {
    const answer = await this.ask(question);
    if (answer.type !== "report")
      throw new DefectError(`a question for a report was answered with ${answer.type}`);
    return answer.report;
  }

  /** Why there is nothing to know of some of the tasks: nobody has submitted them, or they have expired. */
  async unknown(ids: readonly TaskId[]): Promise<ReadonlyMap<TaskId, WeftError>> {
    const unknown = new Map<TaskId, WeftError>();
    let left = [...ids];
    while (left.length > 0) {
      const question = { type: "states", ids: left.slice(0, ASK_IDS_MAX), watch: false } as const;
      const { states } = await this.ask(question);
      for (const state of states) {
        if (state.type !== "unknown") continue;
        const { id, expired } = state;
        unknown.set(id, expired === "yes" ? new ResultExpiredError(id) : new UnknownTaskError(id));
      }
      if (states.length === 0) throw new DefectError("a question for states was answered with none");
      left = left.slice(states.length);
    }
    return unknown;
  }

  private async ask<T extends Question["type"]>(
    question: Question & { readonly type: T },
  ): Promise<AnswerOf<T>> {
    try {
      return await ask<T>(this.connection, this.subjects, question, {
        timeoutMs: this.address.connectTimeoutMs,
      });
    } catch (error) {
      if (error instanceof NoLeaderError && (await this.isNamespaceMissing())) {
        throw new NamespaceMissingError(this.address.namespace);
      }
      throw error;
    }
  }

  /** False also where nobody can tell, such as with credentials that have no JetStream API. */
  async isNamespaceMissing(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), NAMESPACE_CHECK_MS);
    });
    const looked = openNamespace(this.connection.nats, this.address.namespace).then(
      () => false,
      (error: unknown) => WeftError.is(error, "weft_namespace_missing"),
    );
    const missing = await Promise.race([looked, late]);
    clearTimeout(timer);
    return missing;
  }

  async close(): Promise<void> {
    await closeConnection(this.connection);
  }
}

/** Opens the cluster for the time of one piece of work. */
export async function withCluster<T>(
  address: ClusterAddress,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await Cluster.open(address);
  try {
    return await work(cluster);
  } finally {
    await cluster.close();
  }
}
