import { TaskName } from "@weft/protocol";
import { Command } from "commander";
import { withCluster } from "../cluster.ts";
import { type ClusterEvent, describeEvent, TASK_EVENT_STATES } from "../cluster-event.ts";
import { EventFeed } from "../event-feed.ts";
import { examples, globalsOf } from "../invocation.ts";
import { parseChoice, parseList, parseWhole } from "../quantity.ts";

type EventsOptions = {
  readonly task?: TaskName;
  readonly state?: readonly string[];
  readonly count?: number;
};

export function eventsCommand(): Command {
  return new Command("events")
    .description("Print what happens in the cluster, as it happens: tasks, progress, workers, coordinators.")
    .option("--task <NAME>", "only events and progress of tasks of this name", (text) => TaskName.parse(text))
    .option(
      "--state <S,…>",
      `only events of tasks with these states: ${TASK_EVENT_STATES.join(", ")}`,
      (text, before: readonly string[] | undefined) =>
        parseList(text, before).map((each) => parseChoice(each, "--state", TASK_EVENT_STATES)),
    )
    .option("--count <N>", "end after so many (default: with Ctrl-C)", (text) =>
      parseWhole(text, "--count", { least: 1, most: Number.MAX_SAFE_INTEGER }),
    )
    .addHelpText(
      "after",
      examples("weft events --task add --state succeeded,failed", "weft events --json --count 10"),
    )
    .action(async ({ task, state, count }: EventsOptions, command: Command) => {
      const { address, output } = globalsOf(command);
      await withCluster(address, async (cluster) => {
        const over = Promise.withResolvers<void>();
        let left = count ?? Number.POSITIVE_INFINITY;
        const print = (event: ClusterEvent): void => {
          if (left <= 0) return;
          left--;
          if (output.json) output.jsonLine({ subject: event.subject, ...event.fields });
          else output.line(describeEvent(event, feed.nameOf));
          if (left <= 0) over.resolve();
        };
        const feed = new EventFeed(cluster, { task: task ?? null, states: state ?? [] }, print);
        const onSignal = (): void => over.resolve();
        process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
        await feed.start();
        output.note(`listening on ${cluster.subjects.eventAll()} and ${cluster.subjects.progressAll()}`);
        const learning = feed.learnNames();
        await over.promise;
        process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
        await learning;
      });
    });
}
