import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, parseDocument } from "yaml";
import { z } from "zod";
import { must } from "../machines/shell.ts";
import { outFolder } from "../measure/pulumi.ts";
import { runPulumi } from "../measure/pulumiRun.ts";
import type { Step } from "../measure/steps.ts";
import { operatorEnvironment } from "../operatorEnvironment.ts";
import { keyOfCreated, proxmoxSecrets, stackFileOf } from "../stackFile.ts";
import type { Topology } from "../topology.ts";

const name = "fleet";
const cluster = "homelab";
const folder = join(outFolder, name);
const stackFile = join(folder, `Pulumi.${name}.yaml`);
const onlyThere = `--cwd '${folder}' --stack ${name}`;

/** Machines that the bench creates, by number: `node-01` is the first. */
export class FleetStack {
  readonly #topology: Topology;

  private constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** A project of its own, in the lab's backend. */
  static async create(topology: Topology): Promise<FleetStack> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const files = {
      "package.json": '{ "type": "module", "main": "index.js" }\n',
      "index.js": 'import "../../../lab/proxmox/fleet.ts";\n',
      "Pulumi.yaml": `name: ${name}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: index.js\n`,
    };
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
    const env = await operatorEnvironment(topology);
    const pulumi = async (args: readonly string[], input?: string): Promise<void> => {
      const options = { cwd: folder, env, ...(input === undefined ? {} : { input }) };
      await must(["pulumi", ...args, "--non-interactive"], options);
    };
    await pulumi(["stack", "init", name, "--secrets-provider=passphrase"]);
    for (const [key, secret] of Object.entries(await proxmoxSecrets())) {
      await pulumi(["config", "set", "--secret", `triad:${key}`, "--stack", name], secret);
    }
    return new FleetStack(topology);
  }

  /**
   * Brings it to so many machines.
   * @returns the whole and its resources, as steps
   * @throws Error with what Pulumi said when it fails
   */
  async up(count: number): Promise<readonly Step[]> {
    await this.#write(count);
    return await this.#run(`${name}-${String(count)}`, "up");
  }

  async destroy(): Promise<readonly Step[]> {
    return await this.#run(`${name}-destroy`, "destroy");
  }

  async #run(title: string, verb: "up" | "destroy"): Promise<readonly Step[]> {
    const command = `pulumi ${verb} ${onlyThere}`;
    const { exitCode, errors, output, steps } = await runPulumi(this.#topology, title, command);
    if (exitCode !== 0) throw new Error(`${title} failed:\n${errors || output}`);
    return steps;
  }

  /** The home's config, with other machines; secrets stay as they are. */
  async #write(count: number): Promise<void> {
    const home = homeSchema.parse(
      parse(await readFile(stackFileOf(this.#topology), "utf8")),
    ).config;
    const balancers = z.array(z.string()).parse(home["triad:loadBalancers"]);
    const known = z.record(z.string(), z.unknown()).parse(home["triad:machines"]);
    const machines = await Promise.all(
      numbersTo(count).map((number) => fleetMachine(this.#topology, number)),
    );
    const names = machines.map((machine) => machine.name);
    const document = parseDocument(await readFile(stackFile, "utf8"));
    const set = (key: string, value: unknown): void =>
      document.setIn(["config", `triad:${key}`], document.createNode(value));
    for (const key of ["name", "distribution", "version", "endpoint", "proxmox", "ssh"]) {
      set(key, home[`triad:${key}`]);
    }
    set("loadBalancers", balancers);
    set("machines", {
      ...Object.fromEntries(balancers.map((one) => [one, known[one]])),
      ...Object.fromEntries(machines.map((machine) => [machine.name, machine.config])),
    });
    set("servers", names.slice(0, 3));
    set("workers", names.slice(3));
    await writeFile(stackFile, document.toString({ lineWidth: 0 }));
  }
}

const homeSchema = z.object({ config: z.record(z.string(), z.unknown()) });

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** One machine after the other on the nodes in turn. */
async function fleetMachine(
  { proxmox }: Topology,
  number: number,
): Promise<{ name: string; config: object }> {
  const nodes = proxmox?.nodes ?? [];
  const node = nodes[number % nodes.length];
  if (node === undefined) throw new Error("there is no node to create machines on");
  const machine = `node-${String(number).padStart(2, "0")}`;
  const place = { vmId: 300 + number, node: node.name, template: node.template };
  return {
    name: machine,
    config: {
      address: `10.0.20.${String(120 + number)}`,
      hostKey: await keyOfCreated(machine, cluster),
      proxmox: { ...place, memoryMiB: 2048 },
    },
  };
}
