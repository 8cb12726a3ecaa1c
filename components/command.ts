import { readFileSync } from "node:fs";
import { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { MachineConfig } from "../config/clusterConfig.ts";
import type { SshPlan } from "../plan/clusterPlan.ts";
import { composeScript } from "../scripts/composeScript.ts";
import { expandHome } from "../ssh/connection.ts";
import { rootCommand } from "../ssh/runScript.ts";

/** The acts of `acts/main.ts`. */
export type ActName =
  | "backup"
  | "controlPlane"
  | "coreDns"
  | "endpoint"
  | "kubeProxy"
  | "membership"
  | "readiness"
  | "verification"
  | "worker";

export interface MachineScriptArgs {
  readonly machine: MachineConfig;
  readonly identity: SshPlan;
  /** Name of a file in `scripts/`. */
  readonly script: string;
  /** What the script is given; a secret Output stays secret. */
  readonly variables: Readonly<Record<string, pulumi.Input<string>>>;
  /** Whether a delete undoes it on the machine. @default true */
  readonly removes?: boolean;
}

/**
 * One capability on one machine: a script's `ensure` as root by SSH, its `remove` on delete. Never with `triggers`:
 * they would replace the command, and the old one's delete would run after the new one's create.
 */
export function machineScript(
  name: string,
  { machine, identity, script, variables, removes = true }: MachineScriptArgs,
  opts: pulumi.CustomResourceOptions,
): remote.Command {
  const { user, port } = machine.ssh;
  const run = (verb: string): string => rootCommand(user, verb);
  return new remote.Command(
    name,
    {
      connection: {
        host: machine.address,
        port,
        user,
        hostKey: machine.hostKey,
        perDialTimeout: 10,
        dialErrorLimit: 3,
        ...privateKey(identity),
      },
      stdin: pulumi.output(variables).apply((values) => composeScript(script, values)),
      create: run("ensure"),
      update: run("ensure"),
      ...(removes ? { delete: run("remove") } : {}),
      addPreviousOutputInEnv: false,
      logging: remote.Logging.Stderr,
    },
    { ...opts, hideDiffs: ["stdin"] },
  );
}

/** Without a key file the agent at SSH_AUTH_SOCK is asked, as the command provider does by itself. */
function privateKey({ privateKeyFile }: SshPlan): { privateKey?: pulumi.Output<string> } {
  if (privateKeyFile === undefined) return {};
  return { privateKey: pulumi.secret(readFileSync(expandHome(privateKeyFile), "utf8")) };
}

/**
 * Something that touches several machines: an act, run as a local command. An old delete, run from another checkout,
 * finds the same entry point by its fixed relative path.
 *
 * @param request what the act is told on stdin; no secrets, it lies in the stack's state
 */
export function actCommand(
  name: string,
  act: ActName,
  request: pulumi.Input<object>,
  opts: pulumi.CustomResourceOptions,
): local.Command {
  const run = (verb: string): string => `node acts/main.ts ${act} ${verb}`;
  return new local.Command(
    name,
    {
      stdin: pulumi.output(request).apply((told) => JSON.stringify(told)),
      create: run("create"),
      update: run("update"),
      delete: run("delete"),
      logging: local.Logging.Stderr,
    },
    opts,
  );
}
