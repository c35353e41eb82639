/**
 * The inside of a process of a run: answers the bench's questions, one at a time, until it is told to stop. However the
 * bench ends, the kernel closes the channel between the two, and then this process ends too.
 */

import { CLOCK, type Contract, CPU, type FromChild, type Question, STOP } from "./child-contract.ts";
import { monotonicMs } from "./clock.ts";

process.on("disconnect", () => process.exit());

/** Takes questions from now on; whoever started this process learns that it is ready. */
export function serve(contract: Contract, stop: () => Promise<unknown>): void {
  const answers: Contract = { ...contract, [CLOCK]: monotonicMs, [CPU]: cpuUs, [STOP]: stop };
  process.on("message", (question: Question) => {
    answer(answers, question).catch((error: unknown) => {
      // The channel is gone, and with it whoever asked.
      process.emitWarning(error instanceof Error ? error : String(error));
    });
  });
  send({ type: "ready" });
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function answer(answers: Contract, { number, name, argument }: Question): Promise<void> {
  try {
    const handler = answers[name];
    if (handler === undefined) throw new Error(`this process does not answer "${name}"`);
    send({ type: "answer", number, answer: await handler(argument as never) });
  } catch (error) {
    send({
      type: "failure",
      number,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
  if (name === STOP) process.disconnect();
}

function send(message: FromChild): void {
  process.send?.(message);
}

/** What the bench has given to this process beside that. */
export function argumentOfRun(): string {
  const [, argument] = process.argv.slice(2);
  if (argument === undefined) throw new Error("the bench gives this file an argument");
  return argument;
}

/** The namespace of Weft's processes: what the bench has given, else the default one. */
export function namespaceOfRun(): string {
  const [, namespace = "default"] = process.argv.slice(2);
  return namespace;
}

/** The address of the nats-server of this run. */
export function serverOfRun(): string {
  const [server] = process.argv.slice(2);
  if (server === undefined)
    throw new Error("this file is started by the bench, with the address of a nats-server");
  return server;
}
