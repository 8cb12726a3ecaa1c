// Begins with a new lab, and leaves three servers, of which two were created.
import assert from "node:assert/strict";
import { z } from "zod";
import { exec } from "../machines/machine.ts";
import { changed } from "../measure/changes.ts";
import { readEtcd } from "../measure/clusterState.ts";
import { pulumi } from "../measure/pulumi.ts";
import { runPulumi } from "../measure/pulumiRun.ts";
import { endedSince, runningSince } from "../measure/runningSince.ts";
import { editStack, listServers } from "../measure/serverList.ts";
import {
  askedOfProxmox,
  bringProxmoxFault,
  liftProxmoxFaults,
  machinesOnProxmox,
  proxmoxByHand,
} from "../proxmox/askControl.ts";
import type { Fault } from "../proxmox/faults.ts";
import { leaveWithMachine, leftOf } from "../proxmox/leaveAndReturn.ts";
import { brokenPromises, rehearse, type Rehearsal } from "../rehearsal.ts";
import { keyOfCreated } from "../stackFile.ts";
import { createdMachines } from "../topology.ts";
import { expectRefusal, initial, keepLogsOfFailures, servers, topology } from "./support.ts";
import { untilThree } from "./threeServers.ts";

const created = createdMachines(topology).map(({ name }) => name);
const last = created.at(-1) ?? "";
const quiet = (): undefined => undefined;

/** What belongs to a server that is created, its machine included. */
const partsOf = (server: string): string[] =>
  [
    ...["booted", "kubernetes", "membership", "preflight"].map(
      (part) => `Command ${server}-${part}`,
    ),
    `FileLegacy ${server}-seed`,
    `Machine ${server}`,
    `Server ${server}`,
    `VirtualMachine ${server}`,
    `VmLegacy ${server}-vm`,
  ].sort();

const content = z.array(z.object({ volid: z.string() }));

/** Disks on the nodes of machines that are created, but for the templates': none once such a machine is gone. */
async function strayDisks(): Promise<string[]> {
  const machines = await machinesOnProxmox();
  const nodes = topology.proxmox?.nodes ?? [];
  const found = await Promise.all(
    nodes.map(({ name }) => proxmoxByHand("GET", `/nodes/${name}/storage/local-lvm/content`)),
  );
  const owners = [...nodes.map(({ template }) => template), ...machines.map(({ id }) => id)];
  return found
    .flatMap((list) => content.parse(list).map(({ volid }) => volid))
    .filter((volid) => !owners.some((id) => volid.includes(`-${String(id)}-`)));
}

describe("servers from a cloud-init template on Proxmox, through the real provider", function () {
  this.timeout("25m");
  keepLogsOfFailures();
  afterEach(async () => {
    await liftProxmoxFaults().catch(quiet);
  });
  let rehearsal: Rehearsal;

  it("one → three, then one leaves with its machine, and returns: all as promised", async () => {
    rehearsal = await rehearse(topology);
    assert.deepEqual(rehearsal.broken, []);
    assert.deepEqual(rehearsal.report.etcd, { voters: servers.length, learners: 0 });
    assert.equal(rehearsal.report.writes.lost, 0);
  });

  it("a second up changes nothing, at Proxmox or on any machine", async () => {
    const before = await runningSince(topology);
    const { changes } = await askedOfProxmox();
    const run = await runPulumi(topology, "second-up", "pulumi up");
    assert.equal(run.exitCode, 0, run.output);
    assert.deepEqual(run.changes, []);
    assert.equal((await askedOfProxmox()).changes, changes);
    assert.deepEqual(await runningSince(topology), before);
  });

  it("cloud-init has given each machine the name and the account of its seed, and no other", async () => {
    for (const server of created) {
      const script = "hostname; cat /etc/hostname; passwd --status ops; id -u debian";
      const { stdout } = await exec(server, ["sh", "-c", script]);
      const [now, kept, account = "", other] = stdout.trim().split("\n");
      assert.deepEqual([now, kept, other], [server, server, undefined]);
      assert.match(account, /^ops L/);
    }
  });

  it("another memoryMiB of a server is refused, with the command for it", async () => {
    const path = ["triad:machines", last, "proxmox", "memoryMiB"];
    editStack(topology, path, 5120);
    try {
      await expectRefusal(/memoryMiB is 4096 there and 5120 here/, /qm set \d+ --memory 5120/);
    } finally {
      editStack(topology, path, undefined);
    }
  });

  it("the capacity of the nodes is told at preview, and a server for which there is no room is refused", async () => {
    const told = await pulumi(topology, "table", ["preview"]);
    assert.equal(told.exitCode, 0, told.output);
    for (const { name } of topology.proxmox?.nodes ?? []) {
      assert.match(told.output, new RegExp(`\\b${name}\\b`));
    }
    const large = { node: "pve3", template: 9003, memoryMiB: 32_768 };
    const more = [
      { name: "k8s-master-4", address: "10.0.20.112", vmId: 207 },
      { name: "k8s-master-5", address: "10.0.20.113", vmId: 208 },
    ];
    for (const { name, address, vmId } of more) {
      const hostKey = await keyOfCreated(name, "homelab");
      const machine = { address, hostKey, proxmox: { vmId, ...large } };
      editStack(topology, ["triad:machines", name], machine);
    }
    listServers(topology, [...servers, ...more.map(({ name }) => name)]);
    try {
      await expectRefusal(/pve3: k8s-master-4 and k8s-master-5 need \S+ GiB more/);
    } finally {
      listServers(topology, servers);
      for (const { name } of more) editStack(topology, ["triad:machines", name], undefined);
    }
  });

  describe(`${last} leaves by its own destroy`, () => {
    it("its machine goes with it, last of all, and nothing else is changed", async () => {
      const before = await runningSince(topology);
      const left = await leaveWithMachine(topology, last);
      assert.deepEqual(await leftOf(topology, last, left), []);
      assert.deepEqual(await strayDisks(), []);
      assert.deepEqual(
        left.changes,
        partsOf(last).map((part) => `delete ${part}`),
      );
      assert.deepEqual(endedSince(before, await runningSince(topology), [last]), []);
    });

    const faults: readonly { what: string; fault: Fault; says: RegExp }[] = [
      {
        what: "a clone that fails",
        fault: { kind: "task-failure", task: "qmclone", message: "lvcreate failed", times: 10 },
        says: /clone failed: lvcreate failed/,
      },
      {
        what: "a full storage",
        fault: { kind: "storage-full", storage: "local-lvm" },
        says: /pve3: the storage local-lvm has 0 GiB left/,
      },
      {
        what: "a node that is out of reach",
        fault: { kind: "595", node: "pve3" },
        says: /answers GET \/nodes\/pve3\/\S+: 595 No route to host/,
      },
    ];
    for (const { what, fault, says } of faults) {
      it(`${what} ends in an error that says so, with nothing left behind`, async () => {
        await bringProxmoxFault(fault);
        const run = await runPulumi(topology, "faulty-up", "pulumi up");
        assert.notEqual(run.exitCode, 0, run.output);
        assert.match(run.output, says);
        await liftProxmoxFaults();
        assert.ok(!(await machinesOnProxmox()).some(({ name }) => name === last));
        assert.deepEqual(await strayDisks(), []);
      });
    }

    it("the next up makes machine and server again, though the template is locked and its clone slow", async () => {
      await bringProxmoxFault({ kind: "clone-lock" });
      await bringProxmoxFault({ kind: "slow-task", task: "qmclone", ms: 5_000 });
      const run = await runPulumi(topology, "after-faults", "pulumi up");
      assert.equal(run.exitCode, 0, run.output);
      const again = changed(run.changes, "create");
      for (const part of [`VmLegacy ${last}-vm`, `Command ${last}-membership`]) {
        assert.ok(again.includes(part), run.changes.join(", "));
      }
      await untilThree();
      assert.deepEqual(
        (await machinesOnProxmox()).map(({ name }) => name).sort(),
        created.toSorted(),
      );
    });
  });

  it("a machine that somebody destroyed by hand is created anew, and its old member replaced", async () => {
    const { id, node } = (await machinesOnProxmox()).find(({ name }) => name === last) ?? {};
    const path = `/nodes/${String(node)}/qemu/${String(id)}`;
    await proxmoxByHand("POST", `${path}/status/stop`);
    await proxmoxByHand("DELETE", path);
    const run = await runPulumi(topology, "destroyed-by-hand", "pulumi up --refresh");
    assert.equal(run.exitCode, 0, run.output);
    assert.ok(changed(run.changes, "create").includes(`VmLegacy ${last}-vm`), run.output);
    await untilThree();
    assert.deepEqual(await readEtcd(topology, initial.name), {
      voters: servers.length,
      learners: 0,
    });
  });

  it("and in the end all is as promised", async () => {
    assert.deepEqual(await brokenPromises(topology, quiet), []);
  });
});
