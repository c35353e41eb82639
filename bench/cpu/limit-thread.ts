/** A plain thread: hashes what it is told. */
import { parentPort } from "node:worker_threads";
import { hashed } from "./hash.ts";

parentPort?.on("message", (megabytes: number) => parentPort?.postMessage(hashed(megabytes)));
