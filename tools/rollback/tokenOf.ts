import { execa } from "execa";
import { ActError } from "../../acts/act.ts";
import { tokenVariable } from "../../acts/checkpoint/tokenVariable.ts";

/**
 * Proxmox's token: from the environment, else from the stack's config, which the engine decrypts.
 * @throws ActError where neither has it
 */
export async function tokenOf(
  stack: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const given = environment[tokenVariable];
  if (given) return given;
  const asked = ["config", "get", "triad:proxmoxToken", "--stack", stack, "--non-interactive"];
  const { failed, stdout, stderr, shortMessage } = await execa("pulumi", asked, {
    env: environment,
    extendEnv: false,
    preferLocal: true,
    reject: false,
    stdin: "ignore",
  });
  if (!failed && stdout.trim() !== "") return stdout.trim();
  throw new ActError(
    `pulumi config get triad:proxmoxToken: ${stderr.trim() || shortMessage || "empty"}`,
    "without Proxmox's token nobody can be asked to go back",
    `log in to the stack's backend and give its passphrase (PULUMI_CONFIG_PASSPHRASE), or set ${tokenVariable} to user@realm!name=secret`,
  );
}
