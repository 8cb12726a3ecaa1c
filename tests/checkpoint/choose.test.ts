import assert from "node:assert/strict";
import { checkpointNote, unfinishedNote } from "../../acts/checkpoint/naming.ts";
import { chooseCheckpoint } from "../../acts/rollback/choose.ts";
import type { RollbackRequest } from "../../acts/rollback/request.ts";
import { rollbackOf } from "../../tools/rollback/rollbackOf.ts";
import { privileges } from "../lab/proxmox/support/double.ts";
import { samplePlan, withVms } from "../support/samplePlan.ts";
import { type OnProxmox, startOnProxmox } from "./support/onProxmox.ts";

const name = "k8s-master-2";
const ours = checkpointNote({ machine: name, cluster: "homelab", servers: 3 });
const first = "triad-20260101T200000Z";
const second = "triad-20260202T200000Z";

describe("the checkpoint that a server goes back to", function () {
  this.timeout(20_000);
  let proxmox: OnProxmox;
  beforeEach(async () => {
    proxmox = await startOnProxmox();
    await proxmox.byHand(first, ours, 120);
  });
  afterEach(() => proxmox.close());

  function request(checkpoint?: string): RollbackRequest {
    const vms = withVms({ [name]: { vmId: 205 } }, { endpoint: proxmox.double.url });
    return rollbackOf(samplePlan(["k8s-master", name], vms), name, checkpoint);
  }

  it("is the newest of Triad's, or the one that is named", async () => {
    await proxmox.byHand(second, ours);
    await proxmox.byHand("by-hand");
    assert.equal((await chooseCheckpoint(proxmox.guest, request())).name, second);
    const chosen = await chooseCheckpoint(proxmox.guest, request(first));
    assert.deepEqual([chosen.name, chosen.servers], [first, 3]);
  });

  it("is never a snapshot without a guard", async () => {
    await proxmox.byHand("by-hand");
    await assert.rejects(
      chooseCheckpoint(proxmox.guest, request("by-hand")),
      /has no checkpoint by-hand that Triad took[^]*the server would come up with old data[^]*give one of these by CHECKPOINT: triad-20260101T200000Z/,
    );
  });

  it("is none that was not finished: its guard may not have stood", async () => {
    await proxmox.byHand(second, unfinishedNote({ machine: name, cluster: "homelab" }));
    assert.equal((await chooseCheckpoint(proxmox.guest, request())).name, first);
    await assert.rejects(chooseCheckpoint(proxmox.guest, request(second)), /has no checkpoint/);
  });

  it("is refused before anything is touched where ZFS would refuse it afterwards", async () => {
    await proxmox.byHand(second, ours);
    const [, lvm] = proxmox.double.datacenter.options.nodes[0]?.storages ?? [];
    assert.ok(lvm);
    Object.assign(lvm, { type: "zfspool" });
    await assert.rejects(
      chooseCheckpoint(proxmox.guest, request(first)),
      /newer snapshots than triad-20260101T200000Z: triad-20260202T200000Z[^]*local-lvm \(zfspool\) goes back to the newest one only[^]*qm delsnapshot 205 triad-20260202T200000Z/,
    );
    assert.equal((await chooseCheckpoint(proxmox.guest, request())).name, second);
  });

  it("is refused before anything is touched while a backup holds the machine", async () => {
    const vm = proxmox.double.datacenter.vms.get(205);
    assert.ok(vm);
    vm.lock = "backup";
    await assert.rejects(
      chooseCheckpoint(proxmox.guest, request()),
      /k8s-master-2 \(VM 205 on pve1\) is locked \(backup\)[^]*nothing has been changed[^]*qm unlock 205/,
    );
  });

  const takes = ["VM.PowerMgmt", "VM.Snapshot", "VM.Snapshot.Rollback"];
  for (const [rights, lacks] of [
    [["VM.Snapshot"], "VM.PowerMgmt"],
    [["VM.PowerMgmt"], "VM.Snapshot.Rollback"],
    [["VM.PowerMgmt", "VM.Snapshot"], undefined],
    [["VM.PowerMgmt", "VM.Snapshot.Rollback"], undefined],
  ] as const) {
    const what = lacks === undefined ? "is enough" : "is refused before anything is touched";
    it(`with ${rights.join(" and ")} ${what}`, async () => {
      const secret = crypto.randomUUID();
      const able = [...privileges.filter((right) => !takes.includes(right)), ...rights];
      const tokens = proxmox.double.datacenter.options.tokens;
      assert.ok(Array.isArray(tokens));
      tokens.push({ id: "triad@pve!less", secret, privileges: able });
      const access = { ...proxmox.guest.access, token: `triad@pve!less=${secret}` };
      const choice = chooseCheckpoint({ ...proxmox.guest, access }, request());
      if (lacks === undefined) assert.equal((await choice).name, first);
      else await assert.rejects(choice, new RegExp(`the token lacks ${lacks} on /vms/205\\n`));
    });
  }
});
