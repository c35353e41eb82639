/** One client, in a process of its own that can be killed. What it learns goes to the run in batches. */
import { connect } from "@weft/client";
import { Dice } from "@weft/testing/simulation";
import type { Fact, FromClient, ToClient } from "./facts.ts";
import { Load } from "./load.ts";

const FLUSH_MS = 50;
const CONNECT_TIMEOUT_MS = 120_000;

const [urls = "", seed = "0"] = process.argv.slice(2);
let facts: Fact[] = [];

function send(message: FromClient): void {
  process.send?.(message);
}

const client = await connect({
  servers: urls,
  identity: "load",
  connectTimeoutMs: CONNECT_TIMEOUT_MS,
  onError: (error) => send({ type: "trouble", message: error.message }),
});
const load = new Load(client, new Dice(Number(seed)), (fact) => facts.push(fact));

setInterval(() => {
  if (facts.length === 0) return;
  send({ type: "facts", facts });
  facts = [];
}, FLUSH_MS);

process.on("message", (message: ToClient) => {
  if (message.type === "load") load.start(message.size);
  else if (message.type === "stop") load.stop();
  else load.follow(message.ids);
});
process.on("disconnect", () => process.exit());
send({ type: "ready", name: client.name });
