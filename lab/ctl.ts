import { Argument, Command } from "commander";
import { currentLab } from "./currentLab.ts";
import { exec, fault, faultKinds, machineState, type FaultKind } from "./machines/machine.ts";
import { chosenTopology, machineOf } from "./topology.ts";

// What only some commands need is loaded by them: a fault has to happen at once.
const program = new Command("ctl")
  .description("Acts on the lab that is up.")
  .enablePositionalOptions();

program
  .command("env")
  .description(
    'print shell exports to run pulumi, kubectl and ssh by hand: eval "$(./lab/ctl env)"',
  )
  .action(async () => {
    const { topology } = await currentLab();
    const { writeKubeconfig } = await import("./kubeconfig.ts");
    const { operatorEnvironment } = await import("./operatorEnvironment.ts");
    await writeKubeconfig(topology);
    const variables = Object.entries(await operatorEnvironment(topology));
    const lines = variables.map(([name, value]) => `export ${name}=${quote(value)}\n`);
    process.stdout.write(lines.join(""));
  });

program
  .command("machines")
  .description("print the machines as JSON: name, address, role, state")
  .action(async () => {
    const { topology } = await currentLab();
    const machines = await Promise.all(
      topology.machines.map(async ({ name, address, role }) => ({
        name,
        address,
        role,
        state: await machineState(topology, name),
      })),
    );
    process.stdout.write(`${JSON.stringify(machines, undefined, 2)}\n`);
  });

program
  .command("exec")
  .description("run a command as root on a machine; its exit status is passed on")
  .argument("<machine>")
  .argument("<command...>")
  .passThroughOptions()
  .action(async (name: string, command: string[]) => {
    const { topology } = await currentLab();
    const argv = command[0] === "--" ? command.slice(1) : command;
    const result = await exec(machineOf(topology, name).name, argv, { inherit: true });
    process.stderr.write(result.stderr);
    process.exitCode = result.exitCode;
  });

program
  .command("fault")
  .description("let something happen to a machine")
  .addArgument(new Argument("<kind>").choices(faultKinds))
  .argument("<machine>")
  .action(async (kind: FaultKind, name: string) => {
    const { topology } = await currentLab();
    await fault(topology, kind, machineOf(topology, name));
  });

program
  .command("proxmox")
  .description(
    "ask the lab's Proxmox behind its API: asked | machines | lift | fault JSON | hand JSON",
  )
  .argument("<what>")
  .argument("[json]")
  .action(async (what: string, json?: string) => {
    const { askControl } = await import("./proxmox/askControl.ts");
    const body: unknown = json === undefined ? undefined : JSON.parse(json);
    const answer = await askControl(what, body);
    process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
  });

program
  .command("up")
  .description("end any lab, and set up the home as it was before: a cluster with one server")
  .option("--stack <name>", "which home; by default what STACK says")
  .action(async ({ stack }: { stack?: string }) => {
    const { upBeforeState } = await import("./lab.ts");
    await upBeforeState(chosenTopology(stack));
  });

program
  .command("logs")
  .description("copy the logs of all machines into a folder")
  .argument("<folder>")
  .action(async (folder: string) => {
    const { machineLogs } = await import("./machineLogs.ts");
    await machineLogs((await currentLab()).topology, folder);
  });

program
  .command("down")
  .description("end the lab; nothing of it is left")
  .action(async () => {
    const { downLab } = await import("./lab.ts");
    await downLab();
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
