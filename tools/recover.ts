/**
 * `node tools/recover.ts STACK --server NAME [--snapshot PATH] [--yes CLUSTER]`: a cluster whose majority of servers is lost
 * goes on with the one that is left. It asks before it changes anything.
 */
import { Command } from "commander";
import { ActError } from "../acts/act.ts";
import { recover } from "../acts/recovery/recover.ts";
import { ask } from "./ask.ts";
import { planOfStack } from "./planOfStack.ts";
import { nextSteps, recoveryOf } from "./recovery/recoveryOf.ts";

interface Options {
  readonly server: string;
  readonly snapshot?: string;
  readonly yes?: string;
}

await new Command("recover")
  .argument("<stack>", "whose config describes the machines")
  .requiredOption("--server <name>", "the server that is left, as triad:machines names it")
  .option(
    "--snapshot <path>",
    "a snapshot of etcd or one of Triad's backups, here or on that server; without it the server's own data count",
  )
  .option("--yes <cluster>", "the cluster's name, in place of typing it when asked")
  .action(run)
  .parseAsync();

async function run(stack: string, { server, snapshot, yes }: Options): Promise<void> {
  try {
    const plan = planOfStack(stack);
    const request = recoveryOf(plan, server, snapshot);
    const { kept } = await recover(
      request,
      (warnings) => consent(plan.name, server, snapshot, warnings, yes),
      (line) => console.log(line),
    );
    console.log(nextSteps(plan, server, kept, snapshot !== undefined));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

async function consent(
  cluster: string,
  server: string,
  snapshot: string | undefined,
  warnings: readonly string[],
  given: string | undefined,
): Promise<void> {
  for (const warning of warnings) console.log(`warning: ${warning}`);
  console.log(
    snapshot === undefined
      ? `${cluster} will go on with ${server} alone, from its own data. What only the others knew is lost.`
      : `${cluster} will go on with ${server} alone, as it was at the snapshot. All that was written since is lost.`,
  );
  if ((given ?? (await ask(`Type the cluster's name (${cluster}) to go on: `))) === cluster) return;
  throw new ActError(
    `that is not the cluster's name, ${cluster}`,
    "nothing has been changed",
    "run it again, and type the name or give it by YES=<name>",
  );
}
