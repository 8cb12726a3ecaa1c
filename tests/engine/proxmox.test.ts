import assert from "node:assert/strict";
import { unlistedRequests } from "../../lab/proxmox/listedRequests.ts";
import { memoryHypervisor } from "../../lab/proxmox/memoryHypervisor.ts";
import { namesOf } from "../../lab/proxmox/record.ts";
import { seedFilesOf } from "../../lab/proxmox/seedFolder.ts";
import { withVms } from "../support/samplePlan.ts";
import { type Double, privileges, startDouble } from "../lab/proxmox/support/double.ts";
import type { Scenario } from "./support/scenario.ts";
import { Stack } from "./support/stack.ts";
import { operationsOf, ranIn, sorted } from "./support/told.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"] as const;
const [a, b, c] = three;

/** What is there when a machine is created, in the order in which it must go again. */
const ofMachine = (name: string): string[] => [
  `Command ${name}-membership`,
  `Command ${name}-kubernetes`,
  `Command ${name}-preflight`,
  `Machine ${name}`,
  `Command ${name}-booted`,
  `VmLegacy ${name}-vm`,
  `FileLegacy ${name}-seed`,
  `VirtualMachine ${name}`,
  `Server ${name}`,
];

// The real provider against the double of Proxmox; what runs on machines is not there.
describe("the engine, with servers that are created on Proxmox", function () {
  this.timeout(300_000);
  const hypervisor = memoryHypervisor();
  let double: Double;
  let stack: Stack;
  let proxmoxToken: string;
  let whole: string;
  let leave: Record<string, { leave: string; urn: string }>;

  const more = (vms: Record<string, object> = {}): Partial<Scenario> => ({
    proxmoxToken,
    overrides: withVms(
      {
        [a]: { vmId: 200, ...vms[a] },
        [b]: { vmId: 205, ...vms[b] },
        [c]: { vmId: 206, ...vms[c] },
      },
      { endpoint: double.url },
    ),
  });
  const vmIds = (): number[] => [...double.datacenter.vms.keys()].filter((id) => id < 9000).sort();

  before(async () => {
    const secret = crypto.randomUUID();
    const may = [...privileges, "Datastore.Allocate"];
    const tokens = [{ id: "triad@pve!engine", secret, privileges: may }];
    double = await startDouble({ taskMs: 300, tokens, hypervisor });
    proxmoxToken = `triad@pve!engine=${secret}`;
    stack = await Stack.create("kubeadm", { SSL_CERT_FILE: double.authority });
    const run = await stack.up(three, more());
    assert.ok(run.ok, run.output);
    whole = await stack.save();
    leave = await stack.servers();
  });
  after(async () => {
    await stack.remove();
    await double.close();
  });

  it("has made each machine once, one clone after the other", () => {
    assert.deepEqual(vmIds(), [200, 205, 206]);
  });

  it("has started each with the seed that was made for it", () => {
    for (const [name, id] of [
      [a, 200],
      [b, 205],
      [c, 206],
    ] as const) {
      const seed = seedFilesOf(hypervisor.notes.get(id)?.machine.discs ?? [], undefined);
      assert.match(seed?.["meta-data"] ?? "", new RegExp(`^local-hostname: ${name}$`, "m"));
      assert.match(seed?.["user-data"] ?? "", /^#cloud-config\n[^]*BEGIN OPENSSH PRIVATE KEY/);
    }
  });

  it("has nothing to do at a second up", async () => {
    const run = await stack.up(three, more());
    assert.deepEqual(operationsOf(run), []);
    assert.deepEqual(ranIn(run), []);
  });

  it("replaces no machine, whatever the config says of its number, its template or its node", async () => {
    const other = { vmId: 300, template: 9001, node: "pve2" };
    const run = await stack.up(three, more({ [b]: other }));
    assert.deepEqual(
      operationsOf(run).filter((one) => one.includes("replace")),
      [],
    );
    assert.deepEqual(vmIds(), [200, 205, 206]);
    await stack.restore(whole);
  });

  for (const name of [b, a]) {
    it(`lets ${name} go alone, its machine last, and the list brings both back`, async () => {
      const before = vmIds();
      const gone = await stack.operator(leave[name]?.leave ?? "");
      const operations = operationsOf(gone);
      assert.deepEqual(sorted(operations), sorted(ofMachine(name).map((one) => `delete ${one}`)));
      const position = (what: string): number => operations.indexOf(`delete ${what}`);
      assert.ok(
        position(`Command ${name}-membership`) < position(`VmLegacy ${name}-vm`),
        operations.join("\n"),
      );
      assert.ok(
        position(`VmLegacy ${name}-vm`) < position(`FileLegacy ${name}-seed`),
        operations.join("\n"),
      );
      // What goes with the disk is not cleaned before.
      assert.deepEqual(ranIn(gone), [`${name} membership delete`, `${name}-booted remove`]);
      assert.equal(vmIds().length, before.length - 1);

      const back = await stack.up(three, more());
      assert.deepEqual(
        sorted(operationsOf(back)),
        sorted(ofMachine(name).map((one) => `create ${one}`)),
      );
      assert.deepEqual(vmIds(), before);
      whole = await stack.save();
    });
  }

  it("joins a machine anew that somebody has destroyed by hand", async () => {
    await double.byHand("POST", "/nodes/pve1/qemu/205/status/stop", {});
    await double.datacenter.tasks.settle();
    await double.byHand("DELETE", "/nodes/pve1/qemu/205", {});
    await double.datacenter.tasks.settle();
    assert.deepEqual(vmIds(), [200, 206]);
    const run = await stack.up(three, more(), "--refresh");
    const operations = operationsOf(run);
    assert.ok(operations.includes(`create VmLegacy ${b}-vm`), operations.join("\n"));
    assert.deepEqual(
      sorted(ranIn(run).filter((one) => one.startsWith(b))),
      sorted([
        `${b} membership update`,
        `${b}-booted ensure`,
        `${b}-kubernetes ensure`,
        `${b}-preflight ensure`,
      ]),
    );
    assert.deepEqual(
      ranIn(run).filter((one) => one.startsWith(c)),
      [],
    );
    assert.deepEqual(vmIds(), [200, 205, 206]);
  });

  it("has asked Proxmox for nothing that is not listed", async () => {
    assert.deepEqual(await unlistedRequests(namesOf(double.requests)), []);
  });

  it("keeps every machine when the stack is to be forgotten", async () => {
    const { overrides, ...rest } = more();
    const forget = { ...rest, overrides: { ...overrides, onDestroy: "forget" } };
    assert.ok((await stack.up(three, forget)).ok);
    const run = await stack.destroy([]);
    assert.ok(run.ok, run.output);
    // The acts are told to do nothing; on the machines nothing runs at all.
    assert.deepEqual(
      run.entries.filter(({ act }) => act === undefined),
      [],
    );
    assert.deepEqual(vmIds(), [200, 205, 206]);
  });
});
