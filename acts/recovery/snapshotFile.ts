import { existsSync, readFileSync } from "node:fs";
import type { SshConnection } from "../../ssh/connection.ts";
import { ActError, type Progress } from "../act.ts";
import { again } from "./request.ts";

/** Where a snapshot from the operator's computer lies on the survivor until the recovery is done. */
const brought = "/var/lib/triad/recovery/brought";

/**
 * Brings a snapshot onto the survivor, mode 0600, where it is not there already.
 *
 * @param path on the operator's computer; where that has no such file, on the survivor
 * @returns its path on the survivor
 */
export async function bringSnapshot(
  connection: SshConnection,
  path: string,
  progress: Progress,
): Promise<string> {
  const { name, ssh } = connection.target;
  if (!existsSync(path)) {
    if (path.startsWith("/")) return path;
    throw new ActError(
      `there is no ${path} on this computer`,
      "a path on the server would begin with /",
      "give the path of a snapshot, or of one of Triad's backups",
    );
  }
  progress(`bringing ${path} to ${name}`);
  const folder = brought.slice(0, brought.lastIndexOf("/"));
  const steps = `umask 077; mkdir -p ${folder} && base64 -d >${brought}.part && mv -f ${brought}.part ${brought}`;
  const sudo = ssh.user === "root" ? "" : "sudo -n ";
  const text = readFileSync(path).toString("base64");
  const { exitCode, stderr } = await connection.run(`${sudo}sh -c '${steps}'`, text);
  if (exitCode === 0) return brought;
  throw new ActError(
    `${path} did not arrive on ${name}: ${stderr.trim().split("\n").at(-1) ?? ""}`,
    "there is nothing to recover from",
    `see that ${name} has room in /var/lib, ${again}`,
  );
}
