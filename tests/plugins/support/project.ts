import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import { z } from "zod";

import { preparePulumiHome } from "../../../tools/toolchain/preparePulumiHome.ts";
import { repositoryFolder } from "../../../tools/toolchain/paths.ts";

/** A resource to declare: its type in the table below, its name, its arguments and its options. */
export interface Declaration {
  readonly type: keyof typeof types;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly options?: Readonly<Record<string, unknown>>;
}

const types = {
  local: "command.local.Command",
  remote: "command.remote.Command",
  copy: "command.remote.CopyToRemote",
  password: "random.RandomPassword",
  text: "random.RandomString",
  bytes: "random.RandomBytes",
  id: "random.RandomId",
} as const;

/** Declares what resources.json lists; `{"secret": x}` in it becomes a secret, `{"text": x}` an asset. */
const program = `
import { readFileSync } from "node:fs";
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

const outputs = {};
const types = { ${Object.entries(types)
  .map(([key, type]) => `${key}: ${type}`)
  .join(", ")} };
const revive = (_key, value) =>
  value?.secret !== undefined ? pulumi.secret(value.secret)
  : value?.asset !== undefined ? new pulumi.asset.StringAsset(value.asset)
  : value?.file !== undefined ? new pulumi.asset.FileArchive(value.file)
  : value;
for (const { type, name, args, options } of JSON.parse(readFileSync("resources.json", "utf8"), revive)) {
  const resource = new types[type](name, args, options);
  for (const output of ["result", "hex"]) {
    if (resource[output] !== undefined) outputs[\`\${name}-\${output}\`] = resource[output];
  }
}
export default outputs;
`;

const stateSchema = z.object({
  checkpoint: z.object({
    latest: z.object({
      resources: z.array(
        z.object({ urn: z.string(), outputs: z.record(z.string(), z.unknown()).optional() }),
      ),
    }),
  }),
});

/** The result of one run of the engine. */
export interface Run {
  readonly ok: boolean;
  readonly output: string;
}

/** A Pulumi project in a folder of its own, with its state in files, driven by the real engine. */
export class Project {
  readonly folder: string;
  readonly #environment: Record<string, string>;
  readonly #seen = new Map<string, number>();

  private constructor(folder: string, environment: Record<string, string>) {
    this.folder = folder;
    this.#environment = environment;
  }

  /** Makes the project and its stack. */
  static async create(): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), "triad-plugins-"));
    const project = new Project(folder, {
      ...(await preparePulumiHome(join(folder, "home"))),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "proof",
      SSH_AUTH_SOCK: "",
    });
    await mkdir(join(folder, "state"));
    // Only what is used: the language host reads every package that it finds.
    await mkdir(join(folder, "node_modules"));
    const sdks = join(repositoryFolder, "node_modules/@pulumi");
    await symlink(sdks, join(folder, "node_modules/@pulumi"));
    await writeFile(join(folder, "package.json"), '{"type":"module","main":"index.js"}');
    await writeFile(
      join(folder, "Pulumi.yaml"),
      "name: proof\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n",
    );
    await writeFile(join(folder, "index.js"), program);
    const made = await project.pulumi("stack", "init", "proof");
    assert.ok(made.ok, made.output);
    return project;
  }

  /** Brings the stack to the declared resources. */
  async up(resources: readonly Declaration[]): Promise<Run> {
    await this.#declare(resources);
    return this.pulumi("up", "--yes", "--skip-preview", "--continue-on-error");
  }

  /** Says what `up` would do. */
  async preview(resources: readonly Declaration[]): Promise<Run> {
    await this.#declare(resources);
    return this.pulumi("preview", "--diff");
  }

  /** Runs one command of the CLI. */
  async pulumi(...args: readonly string[]): Promise<Run> {
    const { failed, all } = await execa("pulumi", [...args, "--non-interactive"], {
      cwd: this.folder,
      env: this.#environment,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    return { ok: !failed, output: all };
  }

  /** The stack's outputs, secrets shown. */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const { output } = await this.pulumi("stack", "output", "--json", "--show-secrets");
    return z.record(z.string(), z.unknown()).parse(JSON.parse(output));
  }

  /** What the state remembers of a resource, secrets as they lie there. */
  async remembered(name: string): Promise<Readonly<Record<string, unknown>>> {
    const { checkpoint } = stateSchema.parse(JSON.parse(await this.state()));
    const found = checkpoint.latest.resources.find(({ urn }) => urn.endsWith(`::${name}`));
    assert.ok(found, `${name} is not in the state`);
    return found.outputs ?? {};
  }

  /** The state as it lies on disk. */
  async state(): Promise<string> {
    return readFile(join(this.folder, "state/.pulumi/stacks/proof/proof.json"), "utf8");
  }

  /** The lines that a file of the project's folder has got since this was asked last. */
  async newLines(file: string): Promise<readonly string[]> {
    const text = await readFile(join(this.folder, file), "utf8").catch(() => "");
    const lines = text.split("\n").filter((line) => line !== "");
    const seen = this.#seen.get(file) ?? 0;
    this.#seen.set(file, lines.length);
    return lines.slice(seen);
  }

  /** Removes the folder, resources or not. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #declare(resources: readonly Declaration[]): Promise<void> {
    await writeFile(join(this.folder, "resources.json"), JSON.stringify(resources));
  }
}
