import { noCompose, noEngine } from "./engine.ts";

/** Says once why suites are skipped. */
export function setup(): void {
  if (noEngine !== null) process.stdout.write(`The suites that need containers are skipped: ${noEngine}\n`);
  else if (noCompose !== null)
    process.stdout.write(`The suite of docker-compose.yml is skipped: ${noCompose}\n`);
}
