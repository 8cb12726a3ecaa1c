// Goes on with three servers, of which two were created, and leaves them.
import assert from "node:assert/strict";
import { z } from "zod";
import { run } from "../machines/shell.ts";
import { inside, kubectl } from "../measure/inside.ts";
import { runPulumi } from "../measure/pulumiRun.ts";
import { editStack } from "../measure/serverList.ts";
import { operatorEnvironment } from "../operatorEnvironment.ts";
import { projectFolder } from "../paths.ts";
import { machinesOnProxmox, proxmoxByHand } from "../proxmox/askControl.ts";
import { initial, keepLogsOfFailures, servers, topology } from "./support.ts";
import { beginWithThree, untilThree } from "./threeServers.ts";

const last = servers.at(-1) ?? "";
/** The number of the server that was there before, on the first node. */
const existing = { [initial.name]: 101 };
const snapshotSchema = z.array(z.object({ name: z.string() }));

/** Names of the checkpoints that Proxmox has of each server. */
async function checkpoints(): Promise<Record<string, string[]>> {
  const first = topology.proxmox?.nodes[0]?.name ?? "";
  const existed = Object.entries(existing).map(([name, id]) => ({ name, id, node: first }));
  const found: Record<string, string[]> = {};
  for (const { name, id, node } of [...existed, ...(await machinesOnProxmox())]) {
    const path = `/nodes/${node}/qemu/${String(id)}/snapshot`;
    const all = snapshotSchema.parse(await proxmoxByHand("GET", path));
    found[name] = all.map((one) => one.name).filter((one) => one.startsWith("triad-"));
  }
  return found;
}

describe("checkpoints of servers that are virtual machines", function () {
  this.timeout("25m");
  keepLogsOfFailures();
  before(() => beginWithThree());

  it("are taken of each server by the first up that is told to", async () => {
    editStack(topology, ["triad:proxmox", "checkpoints"], { keep: 1, existing });
    const { exitCode, output } = await runPulumi(topology, "checkpoints", "pulumi up");
    assert.equal(exitCode, 0, output);
    const counts = Object.entries(await checkpoints()).map(([name, all]) => [name, all.length]);
    assert.deepEqual(
      Object.fromEntries(counts),
      Object.fromEntries(servers.map((one) => [one, 1])),
    );
    await untilThree();
  });

  it("are not taken again by a second up", async () => {
    const before = await checkpoints();
    const again = await runPulumi(topology, "checkpoints-again", "pulumi up");
    assert.equal(again.exitCode, 0, again.output);
    assert.deepEqual(again.changes, []);
    assert.deepEqual(await checkpoints(), before);
  });

  it("let a server go back, which takes nothing back of what the cluster knows, and joins again", async () => {
    const { [last]: [checkpoint = ""] = [] } = await checkpoints();
    await kubectl(topology, ["create", "configmap", "written-since", "--namespace=default"]);
    const program = [process.execPath, "tools/rollback.ts", topology.stack];
    const { exitCode, stdout, stderr } = await run(
      inside(topology, [...program, "--server", last, "--yes", last]),
      { cwd: projectFolder, env: await operatorEnvironment(topology) },
    );
    assert.equal(exitCode, 0, stdout + stderr);
    assert.ok(stdout.includes(`triad:machines.${last}.rolledBack: ${checkpoint}`), stdout);
    editStack(topology, ["triad:machines", last, "rolledBack"], checkpoint);
    const back = await runPulumi(topology, "rolled-back", "pulumi up --refresh");
    assert.equal(back.exitCode, 0, back.output);
    await untilThree();
    await kubectl(topology, ["delete", "configmap", "written-since", "--namespace=default"]);
  });
});
