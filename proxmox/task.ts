import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { ask, type Change, type ProxmoxAccess, ProxmoxError, tell } from "./api.ts";

const status = z.object({ status: z.string(), exitstatus: z.string().optional() });
const log = z.array(z.object({ t: z.string().default("") }));

/** After how long a task is looked at again, in ms: at first soon, then less often. */
const firstPauseMs = 50;
const longestPauseMs = 1_000;
/** Of a task's log, how much an error tells. */
const lines = 5;

export interface TaskOptions {
  /** What the task does, as a sentence's beginning: `snapshot X of k8s-master`. */
  readonly what: string;
  /** How long it may take. It goes on at Proxmox afterwards. */
  readonly limitMs: number;
  readonly progress: (line: string) => void;
}

/**
 * Tells Proxmox to do something that it does by a task, and waits for the task's end.
 * @throws ProxmoxError when it never began, has failed, with the end of its log, or is not done within its limit
 */
export async function carryOut(
  access: ProxmoxAccess,
  change: Change,
  { what, limitMs, progress }: TaskOptions,
): Promise<void> {
  const upid = await tell(access, change, z.string());
  const path = `/nodes/${upid.split(":")[1] ?? ""}/tasks/${encodeURIComponent(upid)}`;
  const exit = await ended(access, path, what, Date.now() + limitMs);
  if (exit === "OK") return;
  const said = await ask(access, `${path}/log`, log).catch(() => []);
  const text = said
    .map(({ t }) => t.trim())
    .filter((line) => line !== "")
    .slice(-lines);
  // The task has done what it was to.
  if (exit.startsWith("WARNINGS")) {
    progress(`warning: ${what}: ${text.join("; ") || exit}`);
    return;
  }
  throw new ProxmoxError("failed", [`${what}: ${exit} (task ${upid})`, ...text].join("\n    "));
}

/** @returns what it ended with: OK, `WARNINGS: 1`, or an error */
async function ended(
  access: ProxmoxAccess,
  path: string,
  what: string,
  deadline: number,
): Promise<string> {
  let seen = "it runs";
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const found = await ask(access, `${path}/status`, status).catch((error: unknown) => {
      // It goes on, whether the API is out of reach for a moment or not.
      if (!(error instanceof ProxmoxError) || error.kind === "credentials") throw error;
      seen = error.message;
      return undefined;
    });
    if (found !== undefined && found.status !== "running") return found.exitstatus ?? "no status";
    if (found !== undefined) seen = "it runs";
    if (Date.now() > deadline) {
      const id = decodeURIComponent(path.split("/").at(-1) ?? "");
      throw new ProxmoxError("failed", `${what}: not done in time; ${seen} (task ${id})`);
    }
    await sleep(pauseMs);
  }
}
