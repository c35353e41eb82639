/** What a test can kill half way: the outer half of a run, with any command inside. */
import { findGround } from "./ground.ts";
import { runInSandbox } from "./sandbox.ts";

const [wanted = "auto", ...command] = process.argv.slice(2);
const ground = await findGround(wanted === "proxies" ? "proxies" : "auto");
process.exit(await runInSandbox({ ground, command, tell: (line) => console.log(line) }));
