import { findNatsServer } from "./finder.ts";

// Prints the path of a usable nats-server, fetching one if need be; what it does meanwhile goes to standard error.
try {
  const { path } = await findNatsServer({ onProgress: (message) => console.error(message) });
  console.log(path);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
