/** What pg-boss's processes have in common. */
import { PgBoss } from "pg-boss";

export const QUEUE = "bench";
/** Of each process; a client has as many calls on their way. With more it is no faster. */
export const CONNECTIONS = 10;

/** With a notification for a new job, so that workers need not wait until they ask the next time. */
export async function openBoss(server: string): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: server,
    max: CONNECTIONS,
    useListenNotify: true,
    schedule: false,
  });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue(QUEUE, { notify: true });
  return boss;
}
