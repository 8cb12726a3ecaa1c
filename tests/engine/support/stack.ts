import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { repositoryFolder } from "../../../tools/toolchain/paths.ts";
import { preparePulumiHome } from "../../../tools/toolchain/preparePulumiHome.ts";
import { newKey } from "../../support/newKey.ts";
import { type Machines, startMachines } from "./machines.ts";
import type { Scenario } from "./scenario.ts";

/** What the engine did to a resource, such as `delete` of `k8s-master-membership`. */
export interface Operation {
  readonly op: string;
  readonly urn: string;
  /** The resource's logical name. */
  readonly name: string;
}

/** What a command was asked to do, by SSH or as an act. */
export interface Entry {
  /** The resource's name, or with an act the machine's. */
  readonly who: string;
  readonly act?: string | undefined;
  readonly verb: string;
  readonly nonce?: string | undefined;
  readonly folder?: string | undefined;
  readonly request?: Readonly<Record<string, unknown>> | undefined;
}

/** The result of one run of the engine. */
export interface Run {
  readonly ok: boolean;
  readonly output: string;
  /** In the order in which they ended; what stayed as it was is not among them. */
  readonly operations: readonly Operation[];
  readonly entries: readonly Entry[];
}

const eventSchema = z.object({
  resOutputsEvent: z.object({ metadata: z.object({ op: z.string(), urn: z.string() }) }).optional(),
});
const entrySchema = z.object({
  who: z.string(),
  act: z.string().optional(),
  verb: z.string(),
  nonce: z.string().optional(),
  folder: z.string().optional(),
  request: z.record(z.string(), z.unknown()).optional(),
});
const stateFile = "state/.pulumi/stacks/triad/engine.json";

/** A stack of the whole graph, driven by the real engine: only what runs on machines, and the acts, are not there. */
export class Stack {
  readonly folder: string;
  readonly machines: Machines;
  readonly #environment: Record<string, string>;
  readonly #distribution: Scenario["distribution"];

  private constructor(
    folder: string,
    machines: Machines,
    environment: Record<string, string>,
    distribution: Scenario["distribution"],
  ) {
    this.folder = folder;
    this.machines = machines;
    this.#environment = environment;
    this.#distribution = distribution;
  }

  /** @param more further variables of the engine's environment */
  static async create(
    distribution: Scenario["distribution"],
    more: Readonly<Record<string, string>> = {},
  ): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), "triad-engine-"));
    const journal = join(folder, "journal");
    const machines = await startMachines(journal);
    const stack = new Stack(
      folder,
      machines,
      {
        ...(await preparePulumiHome(join(folder, "home"))),
        ENGINE_JOURNAL: journal,
        PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "proof",
        PULUMI_DEBUG_COMMANDS: "true",
        PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
        PULUMI_STACK: "engine",
        SSH_AUTH_SOCK: "",
        ...more,
      },
      distribution,
    );
    await mkdir(join(folder, "state"));
    await stack.rotateKey();
    await stack.checkOut("checkout");
    const made = await stack.#pulumi("checkout", ["stack", "init", "engine"]);
    assert.ok(made.ok, made.output);
    return stack;
  }

  /** Makes a project folder with Triad's program, as another checkout would be. */
  async checkOut(name: string): Promise<void> {
    const checkout = join(this.folder, name);
    await mkdir(join(checkout, "acts"), { recursive: true });
    await mkdir(join(checkout, "node_modules"));
    // Only what is used: the language host reads every package that it finds.
    await symlink(
      join(repositoryFolder, "node_modules/@pulumi"),
      join(checkout, "node_modules/@pulumi"),
    );
    await cp(join(import.meta.dirname, "stubAct.ts"), join(checkout, "acts/main.ts"));
    await writeFile(join(checkout, "package.json"), '{"type":"module","main":"index.ts"}');
    await writeFile(
      join(checkout, "Pulumi.yaml"),
      "name: triad\nmain: index.ts\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
    );
    const program = join(import.meta.dirname, "program.ts");
    await writeFile(join(checkout, "index.ts"), `export * from ${JSON.stringify(program)};\n`);
  }

  /** Another key in the same file; the machines let only that one in. */
  async rotateKey(): Promise<void> {
    const key = newKey();
    await writeFile(join(this.folder, "key"), key.private, { mode: 0o600 });
    this.machines.letIn(key.public);
  }

  /** `pulumi up` with these servers. */
  async up(
    servers: readonly string[],
    more: Partial<Scenario> = {},
    ...flags: readonly string[]
  ): Promise<Run> {
    const { port, hostKey } = this.machines;
    const scenario: Scenario = {
      distribution: this.#distribution,
      servers,
      silent: [],
      ssh: { port, hostKey, privateKeyFile: join(this.folder, "key") },
      ...more,
    };
    await writeFile(join(this.folder, "checkout/scenario.json"), JSON.stringify(scenario));
    return this.#run("checkout", ["up", "--yes", "--skip-preview", ...flags]);
  }

  /** `pulumi destroy`, from a checkout. */
  async destroy(flags: readonly string[], checkout = "checkout"): Promise<Run> {
    return this.#run(checkout, ["destroy", "--yes", "--skip-preview", ...flags]);
  }

  /** Runs what the stack's output tells an operator to run, without the question whether he means it. */
  async operator(line: string): Promise<Run> {
    return this.#recorded(async (events) => {
      const whole = `${line} --yes --skip-preview --non-interactive --event-log '${events}'`;
      return await execute("sh", ["-c", whole], join(this.folder, "checkout"), this.#environment);
    });
  }

  /** The stack's output `servers`. */
  async servers(): Promise<Record<string, { urn: string; leave: string; address: string }>> {
    const { output } = await this.#pulumi("checkout", ["stack", "output", "servers", "--json"]);
    const server = z.object({ urn: z.string(), leave: z.string(), address: z.string() });
    return z.record(z.string(), server).parse(JSON.parse(output));
  }

  /** The state as it lies on disk; given back to {@link restore} it saves an `up`. */
  async save(): Promise<string> {
    return readFile(join(this.folder, stateFile), "utf8");
  }

  async restore(state: string): Promise<void> {
    await writeFile(join(this.folder, stateFile), state);
  }

  /** Ends the machines and removes the folder, resources or not. */
  async remove(): Promise<void> {
    this.machines.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #run(checkout: string, args: readonly string[]): Promise<Run> {
    return this.#recorded((events) => this.#pulumi(checkout, [...args, "--event-log", events]));
  }

  async #recorded(run: (events: string) => Promise<{ ok: boolean; output: string }>): Promise<Run> {
    const events = join(this.folder, "events");
    const journal = join(this.folder, "journal");
    await Promise.all([rm(events, { force: true }), rm(journal, { force: true })]);
    const result = await run(events);
    const ended = (await lines(events)).map((line) => eventSchema.parse(line).resOutputsEvent);
    const operations = ended.flatMap((event) => {
      if (event === undefined || event.metadata.op === "same") return [];
      const { op, urn } = event.metadata;
      return [{ op, urn, name: urn.split("::").at(-1) ?? "" }];
    });
    return {
      ...result,
      operations: operations.filter(({ urn }) => !urn.includes("pulumi:pulumi:Stack::")),
      entries: (await lines(journal)).map((line) => entrySchema.parse(line)),
    };
  }

  async #pulumi(
    checkout: string,
    args: readonly string[],
  ): Promise<{ ok: boolean; output: string }> {
    const folder = join(this.folder, checkout);
    return await execute("pulumi", [...args, "--non-interactive"], folder, this.#environment);
  }
}

async function execute(
  program: string,
  args: readonly string[],
  folder: string,
  environment: Record<string, string>,
): Promise<{ ok: boolean; output: string }> {
  const options = { cwd: folder, env: environment, reject: false, all: true } as const;
  const { failed, all } = await execa(program, [...args], { ...options, stdin: "ignore" });
  return { ok: !failed, output: all };
}

async function lines(file: string): Promise<unknown[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
}
