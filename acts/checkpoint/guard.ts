import * as z from "zod";
import type { SshConnection } from "../../ssh/connection.ts";
import { runScript } from "../../ssh/runScript.ts";
import type { Progress } from "../act.ts";
import type { DistributionName } from "../request.ts";

/** What `checkpoint.sh check` answers. */
const guardState = z.object({
  /** Whether the guard is on the disk. */
  guarded: z.boolean(),
  /** Whether it was written since the machine booted, so that it keeps nobody out yet. */
  here: z.boolean(),
  /** Whether the server's unit runs. */
  active: z.boolean(),
  /** The checkpoint that it was written for; empty without one. */
  checkpoint: z.string(),
  /** The MAC addresses of the machine. */
  macs: z.array(z.string()),
});
const removed = z.object({ was: z.boolean() });
const started = z.object({ at: z.number() });

/** How a guard is. */
export type GuardState = z.infer<typeof guardState>;

/** With a limit in seconds after which the guard goes by itself, which is longer than taking a checkpoint may last. */
const expirySeconds = 900;

/**
 * What a checkpoint is taken with, on the machine's disk: in any other boot than this one its server does not start. A
 * machine that is rolled back, by whom and by what ever, boots; so it can't come up as a member with old data.
 */
export class Guard {
  readonly #connection: SshConnection;
  readonly #unit: string;
  readonly #progress: Progress;

  constructor(connection: SshConnection, distribution: DistributionName, progress: Progress) {
    this.#connection = connection;
    this.#unit = distribution === "k3s" ? "k3s" : "kubelet";
    this.#progress = progress;
  }

  /** Looks, and changes nothing. */
  async state(): Promise<GuardState> {
    return guardState.parse(await this.#run("check"));
  }

  /** Puts it on the disk. @throws ScriptError where systemd does not heed it, or one of another boot is there */
  async put(checkpoint: string): Promise<void> {
    await this.#run("ensure", { CHECKPOINT: checkpoint, SECONDS_TO_LIVE: String(expirySeconds) });
  }

  /** Takes it away. @returns whether it was there until now */
  async take(): Promise<boolean> {
    return removed.parse(await this.#run("remove")).was;
  }

  /** Takes it away and starts the server. @returns the machine's clock before that, in seconds since 1970 */
  async start(): Promise<number> {
    return started.parse(await this.#run("start")).at;
  }

  async #run(verb: string, variables: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const { name } = this.#connection.target;
    const call = { script: "checkpoint.sh", verb, variables: { UNIT: this.#unit, ...variables } };
    return await runScript(this.#connection, call, (line) => this.#progress(`${name}: ${line}`));
  }
}
