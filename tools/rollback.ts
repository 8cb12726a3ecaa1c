/**
 * `node tools/rollback.ts STACK --server NAME [--checkpoint NAME] [--yes SERVER]`: a server that is a virtual machine at
 * Proxmox goes back to a checkpoint. It asks before it changes anything.
 */
import { Command } from "commander";
import { ActError } from "../acts/act.ts";
import type { Intent } from "../acts/rollback/request.ts";
import { rollBack } from "../acts/rollback/rollBack.ts";
import { ask } from "./ask.ts";
import { planOfStack } from "./planOfStack.ts";
import { rollbackOf } from "./rollback/rollbackOf.ts";
import { tokenOf } from "./rollback/tokenOf.ts";
import { nextSteps, whatIsLost } from "./rollback/words.ts";

interface Options {
  readonly server: string;
  readonly checkpoint?: string;
  readonly yes?: string;
}

await new Command("rollback")
  .argument("<stack>", "whose config describes the machines")
  .requiredOption("--server <name>", "the server, as triad:machines names it")
  .option("--checkpoint <name>", "one that Triad took of it; without it the newest")
  .option("--yes <server>", "the server's name, in place of typing it when asked")
  .action(run)
  .parseAsync();

async function run(stack: string, { server, checkpoint, yes }: Options): Promise<void> {
  try {
    const plan = planOfStack(stack);
    const request = rollbackOf(plan, server, checkpoint);
    const done = await rollBack(
      request,
      { ...request.proxmox, token: await tokenOf(stack) },
      (intent) => consent(server, plan.name, intent, yes),
      (line) => console.log(line),
    );
    console.log(nextSteps(plan.name, server, done));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

async function consent(
  server: string,
  cluster: string,
  intent: Intent,
  given: string | undefined,
): Promise<void> {
  console.log(whatIsLost(server, cluster, intent, new Date()));
  if ((given ?? (await ask(`Type the server's name (${server}) to go on: `))) === server) return;
  throw new ActError(
    `that is not the server's name, ${server}`,
    "nothing has been changed",
    "run it again, and type the name or give it by YES=<name>",
  );
}
