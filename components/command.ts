import { readFileSync } from "node:fs";
import { local, remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { MachineConfig } from "../config/clusterConfig.ts";
import type { ClusterPlan, SshPlan } from "../plan/clusterPlan.ts";
import { composeScript } from "../scripts/composeScript.ts";
import { expandHome } from "../ssh/connection.ts";
import { rootCommand } from "../ssh/runScript.ts";
import { lifeOf } from "./lifeOf.ts";

/** The acts of `acts/main.ts`. */
export type ActName =
  | "backup"
  | "checkpoints"
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
  readonly plan: Pick<ClusterPlan, "onDestroy" | "ssh">;
  /** Name of a file in `scripts/`. */
  readonly script: string;
  /** What the script is given; a secret Output stays secret. */
  readonly variables: Readonly<Record<string, pulumi.Input<string>>>;
  /** Whether a delete undoes it on the machine, where the config does not say that nothing shall. @default true */
  readonly removes?: boolean;
  /** Of a virtual machine that is created: with another one everything is done anew, since nothing is there any more. */
  readonly born?: pulumi.Input<string> | undefined;
  /** How often a dial may fail. @default 3 */
  readonly dialErrorLimit?: number;
}

/**
 * One capability on one machine: a script's `ensure` as root by SSH, its `remove` on delete. Never with `triggers`:
 * they would replace the command, and the old one's delete would run after the new one's create.
 *
 * On a machine that is gone nothing is to run, and the provider dials no machine for nothing: neither this update nor the
 * delete that the state then remembers needs it. Its successor's inputs differ from that again, so `ensure` runs there
 * even if it shows the old host key.
 * @see https://github.com/pulumi/pulumi-command/blob/master/provider/pkg/provider/remote/commandController.go
 */
export function machineScript(
  name: string,
  args: MachineScriptArgs,
  opts: pulumi.CustomResourceOptions,
): remote.Command {
  const { machine, plan } = args;
  const { user, port } = machine.ssh;
  return new remote.Command(
    name,
    {
      connection: {
        host: machine.address,
        port,
        user,
        hostKey: machine.hostKey,
        perDialTimeout: 10,
        dialErrorLimit: args.dialErrorLimit ?? 3,
        ...privateKey(plan.ssh),
      },
      ...(machine.gone ? {} : verbs(args)),
      addPreviousOutputInEnv: false,
      logging: remote.Logging.Stderr,
    },
    { ...opts, hideDiffs: ["stdin"] },
  );
}

function verbs({
  machine,
  plan: { onDestroy },
  script,
  variables,
  removes = true,
  born,
}: MachineScriptArgs): Partial<remote.CommandArgs> {
  const run = (verb: string): string => rootCommand(machine.ssh.user, verb);
  const hasDelete = removes && onDestroy !== "forget";
  const life = lifeOf(machine, born);
  const told = {
    ...variables,
    ...(hasDelete ? { ON_DESTROY: onDestroy } : {}),
    ...(life === undefined ? {} : { BORN: life }),
  };
  return {
    stdin: pulumi.output(told).apply((values) => composeScript(script, values)),
    create: run("ensure"),
    update: run("ensure"),
    ...(hasDelete ? { delete: run("remove") } : {}),
  };
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
 * @param deletes whether a delete asks the act anything
 * @param secrets what the act is told besides, by variable; the state has it encrypted
 */
export function actCommand(
  name: string,
  act: ActName,
  request: pulumi.Input<object>,
  opts: pulumi.CustomResourceOptions,
  deletes = true,
  secrets: Readonly<Record<string, pulumi.Input<string>>> = {},
): local.Command {
  const run = (verb: string): string => `node acts/main.ts ${act} ${verb}`;
  return new local.Command(
    name,
    {
      stdin: pulumi.output(request).apply((told) => JSON.stringify(told)),
      create: run("create"),
      update: run("update"),
      ...(deletes ? { delete: run("delete") } : {}),
      ...(Object.keys(secrets).length === 0 ? {} : { environment: pulumi.secret(secrets) }),
      logging: local.Logging.Stderr,
    },
    opts,
  );
}
