import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { preparePulumiHome } from "../../../../tools/toolchain/preparePulumiHome.ts";
import { repositoryFolder } from "../../../../tools/toolchain/paths.ts";
import type { Double } from "./double.ts";

/** The arguments of a VM, by its logical name. */
export type Vms = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The result of one run of the engine. */
export interface Run {
  readonly ok: boolean;
  readonly output: string;
  /** What it did, such as `update pve-a`; nothing of what stayed as it was. */
  readonly operations: readonly string[];
}

/**
 * The address and the token come from the environment.
 * @see https://github.com/muhlba91/pulumi-proxmoxve/issues/664 for what is ignored
 */
const program = `
import { readFileSync } from "node:fs";
import * as proxmoxve from "@muhlba91/pulumi-proxmoxve";

for (const [name, args] of Object.entries(JSON.parse(readFileSync("vms.json", "utf8")))) {
  new proxmoxve.VmLegacy(name, args, { ignoreChanges: ["disks[0].speed"] });
}
`;

const eventSchema = z.object({
  resOutputsEvent: z.object({ metadata: z.object({ op: z.string(), urn: z.string() }) }).optional(),
});

/** A stack with nothing but VMs, brought up by the real engine and the real provider. */
export class VmStack {
  readonly #folder: string;
  readonly #environment: Record<string, string>;

  private constructor(folder: string, environment: Record<string, string>) {
    this.#folder = folder;
    this.#environment = environment;
  }

  static async create(double: Double): Promise<VmStack> {
    const folder = await mkdtemp(join(tmpdir(), "triad-proxmox-"));
    // The provider keeps the number that it gave last in the folder for temporary files.
    for (const name of ["state", "tmp", "node_modules"]) await mkdir(join(folder, name));
    const stack = new VmStack(folder, {
      ...(await preparePulumiHome(join(folder, "home"))),
      TMPDIR: join(folder, "tmp"),
      PROXMOX_VE_ENDPOINT: double.url,
      PROXMOX_VE_API_TOKEN: double.token,
      SSL_CERT_FILE: double.authority,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "proof",
      PULUMI_DEBUG_COMMANDS: "true",
    });
    for (const scope of ["@pulumi", "@muhlba91"]) {
      const packages = join(repositoryFolder, "node_modules", scope);
      await symlink(packages, join(folder, "node_modules", scope));
    }
    await writeFile(join(folder, "package.json"), '{"type":"module","main":"index.js"}');
    await writeFile(
      join(folder, "Pulumi.yaml"),
      "name: proof\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
    );
    await writeFile(join(folder, "index.js"), program);
    const made = await stack.#pulumi("stack", "init", "proof");
    assert.ok(made.ok, made.output);
    return stack;
  }

  /** Brings it to these VMs. */
  async up(vms: Vms, ...flags: readonly string[]): Promise<Run> {
    await writeFile(join(this.#folder, "vms.json"), JSON.stringify(vms));
    return this.#run("up", ...flags);
  }

  async destroy(): Promise<Run> {
    return this.#run("destroy");
  }

  /** Removes the folder, VMs or not. */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #run(...args: readonly string[]): Promise<Run> {
    const events = join(this.#folder, "events");
    await rm(events, { force: true });
    const run = await this.#pulumi(...args, "--yes", "--skip-preview", "--event-log", events);
    const lines = (await readFile(events, "utf8")).split("\n").filter((line) => line !== "");
    const operations = lines.flatMap((line) => {
      const { op = "same", urn = "" } =
        eventSchema.parse(JSON.parse(line)).resOutputsEvent?.metadata ?? {};
      const [, , type, name] = urn.split("::");
      return op === "same" || type === "pulumi:pulumi:Stack" ? [] : [`${op} ${name}`];
    });
    return { ...run, operations };
  }

  async #pulumi(...args: readonly string[]): Promise<{ ok: boolean; output: string }> {
    const { failed, all } = await execa("pulumi", [...args, "--non-interactive"], {
      cwd: this.#folder,
      env: this.#environment,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    return { ok: !failed, output: all };
  }
}
