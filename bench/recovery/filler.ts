/** The process that makes what a coordinator recovers: a log, and a checkpoint of it. */
import { Identity, InstanceId, Namespace, Sender, Subjects } from "@weft/protocol";
import { closeConnection, openConnection, type SystemConnection } from "@weft/transport";
import { CheckpointStore } from "../../packages/coordinator/src/shell/checkpoint-store.ts";
import { Checkpointer } from "../../packages/coordinator/src/shell/checkpointer.ts";
import { createNamespace } from "../../packages/coordinator/src/shell/namespace.ts";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { FillerContract } from "./contract.ts";
import { foldLog } from "./fold-log.ts";
import { electionRecord, submitRecords } from "./task-records.ts";

const LOG_BYTES_MAX = 1024 ** 3;
const IN_FLIGHT_MAX = 16;
const APPEND_TIMEOUT_MS = 10_000;

async function append(
  { nats }: SystemConnection,
  subject: string,
  records: Iterable<Uint8Array>,
): Promise<void> {
  const flying = new Set<Promise<unknown>>();
  for (const record of records) {
    const append = nats
      .request(subject, record, { timeout: APPEND_TIMEOUT_MS })
      .finally(() => flying.delete(append));
    flying.add(append);
    if (flying.size >= IN_FLIGHT_MAX) await Promise.race(flying);
  }
  await Promise.all(flying);
}

const contract: FillerContract = {
  async fill({ namespace, tasks }) {
    const instance = InstanceId.create();
    const identity = Identity.parse("filler");
    const connection = await openConnection(identity, instance, { servers: serverOfRun() });
    try {
      const config = await createNamespace(connection.nats, Namespace.parse(namespace), {
        logBytesMax: LOG_BYTES_MAX,
      });
      const subjects = new Subjects(config.namespace);
      await append(connection, subjects.control(0, config.secret), [electionRecord(Date.now())]);
      const submit = subjects.log(0, "submit", Sender.of(identity, instance));
      await append(connection, submit, submitRecords(tasks, "mixed", instance));
      // Waits begin with a control record: a leader ticks twice a second.
      await append(connection, subjects.control(0, config.secret), [electionRecord(Date.now())]);
      const { lastSeq, bytes } = await connection.stream(config.stream).info();
      const store = new CheckpointStore({ connection, subjects, secret: config.secret });
      const { ledger, reader } = await foldLog({ connection, config, subjects, log: console.log });
      let heldMs = 0;
      const timed = {
        point: reader.point,
        hold(): () => void {
          const heldAtMs = monotonicMs();
          const goOn = reader.hold();
          return () => {
            heldMs = monotonicMs() - heldAtMs;
            goOn();
          };
        },
      };
      const beganMs = monotonicMs();
      await new Checkpointer({ clock: connection.clock, ledger, reader: timed, store }).write(lastSeq);
      const checkpointMs = monotonicMs() - beganMs;
      reader.close();
      const [checkpoint] = await store.list();
      return { logBytes: bytes, checkpointBytes: checkpoint?.bytes ?? 0, checkpointMs, heldMs };
    } finally {
      await closeConnection(connection);
    }
  },
};
serve(contract, async () => undefined);
