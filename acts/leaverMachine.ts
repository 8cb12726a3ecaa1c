import * as z from "zod";
import { connect, type SshConnection, SshError } from "../ssh/connection.ts";
import { runScript } from "../ssh/runScript.ts";
import { ActError, type Progress } from "./act.ts";
import { endpointAddress } from "./endpointAddress.ts";
import { runLocked } from "./machineLock.ts";
import type { MembershipRequest } from "./request.ts";

/** What `<distribution>-leave.sh check` answers. */
export const leaverState = z.object({
  /** Whether it has what makes a server, running or not. */
  server: z.boolean(),
  /** Whether it is kept from serving because it leaves. */
  retired: z.boolean(),
  /** Whether it is a worker once it has left, or is one already. */
  worker: z.boolean(),
});

/** How far a machine is from a server to what it is afterwards. */
export type LeaverState = z.infer<typeof leaverState>;

/** `cleaned`: also where it was an agent before it was a server, which else it is again. */
export type Becomes = "worker" | "cleaned";

const left = z.object({ worker: z.boolean().default(false) });

/** The machine that leaves: what `<distribution>-leave.sh` does there. */
export class LeaverMachine {
  readonly connection: SshConnection;
  readonly #script: string;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #progress: Progress;

  constructor(
    connection: SshConnection,
    { distribution, endpoint }: Pick<MembershipRequest, "distribution" | "endpoint">,
    becomes: Becomes | undefined,
    progress: Progress,
  ) {
    this.connection = connection;
    this.#script = `${distribution}-leave.sh`;
    this.#variables = { BECOMES: becomes ?? "", ENDPOINT: `https://${endpointAddress(endpoint)}` };
    this.#progress = progress;
  }

  /** Looks, and changes nothing. */
  async state(): Promise<LeaverState> {
    const seen = leaverState.parse(await this.#run("check"));
    return { ...seen, worker: seen.worker || this.#variables["BECOMES"] === "worker" };
  }

  /** From now on it serves nobody, and does not start again by itself. Its etcd may still run, to be removed. */
  async retire(): Promise<void> {
    await this.#run("retire");
  }

  /** It is a server again, as before it retired. Only for one whose member is still in the list. */
  async stay(): Promise<void> {
    await this.#run("stay");
  }

  /**
   * Ends what is left of the server and cleans the machine, under its own lock; a cold copy of what it held is kept.
   * @returns whether it is a worker now
   */
  async clean(): Promise<boolean> {
    return left.parse(await this.#runLocked("leave", "ensure")).worker;
  }

  /** The same for the last server of a cluster, whose API can't be asked any more. */
  async wipe(): Promise<void> {
    await this.#runLocked("wipe", "wipe");
  }

  async #run(verb: string): Promise<unknown> {
    const call = { script: this.#script, verb, variables: this.#variables };
    const { name } = this.connection.target;
    return await runScript(this.connection, call, (line) => this.#progress(`${name}: ${line}`));
  }

  async #runLocked(what: string, verb: string): Promise<unknown> {
    const act = `${what} ${this.connection.target.name}`;
    const call = { act, script: this.#script, verb, variables: this.#variables, limit: 600 };
    return await runLocked(this.connection, call, this.#progress);
  }
}

/**
 * A connection to the machine that leaves, once nothing is under way on it.
 * @throws ActError when it does not answer: one that may still run must be stopped before its member is removed
 */
export async function connectLeaver({
  machine,
  identity,
}: MembershipRequest): Promise<SshConnection> {
  try {
    return await connect(machine, identity);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    throw new ActError(
      error.message,
      "a server that may still run must be stopped before its member is removed, or it comes back",
      `start ${machine.name} and run this again; if it is no more, list it with machines.${machine.name}.gone: true, run pulumi up, then take it off the list`,
    );
  }
}
