import assert from "node:assert/strict";
import { checkpointNote, unfinishedNote } from "../../acts/checkpoint/naming.ts";
import { forgetOld } from "../../acts/checkpoint/retention.ts";
import { machineOf } from "../acts/k3s/doubles.ts";
import { type OnProxmox, startOnProxmox } from "./support/onProxmox.ts";

const name = "k8s-master-2";
const own = { machine: name, cluster: "homelab" };
const ours = checkpointNote({ ...own, servers: 3 });

describe("checkpoints that are deleted", function () {
  this.timeout(20_000);
  let proxmox: OnProxmox;
  beforeEach(async () => {
    proxmox = await startOnProxmox();
  });
  afterEach(() => proxmox.close());

  async function forget(vmId = 205): Promise<string[]> {
    const { url: endpoint, token } = proxmox.double;
    const guest = { machine: machineOf(name, name), vmId };
    const told: string[] = [];
    const asked = { clusterName: "homelab", guests: [guest], keep: 1 };
    const request = { ...asked, proxmox: { endpoint, insecure: false } };
    await forgetOld(request, guest, token, (line) => void told.push(line));
    return told;
  }

  it("are those that newer ones take the place of, and one that was cut off; nobody else's", async () => {
    await proxmox.byHand("before-upgrade", "by hand", 300);
    await proxmox.byHand("triad-20200101T000000Z", "mine: to be kept", 240);
    await proxmox.byHand("triad-20250101T000000Z", ours, 180);
    await proxmox.byHand("triad-20260101T000000Z", ours, 120);
    await proxmox.byHand("triad-20260202T000000Z", unfinishedNote(own), 60);
    await forget();
    assert.deepEqual(
      (await proxmox.snapshots()).map((one) => one.name),
      ["before-upgrade", "triad-20200101T000000Z", "triad-20260101T000000Z"],
    );
  });

  it("where that fails are told, and do not hold up the run", async () => {
    await proxmox.byHand("triad-20250101T000000Z", ours, 60);
    await proxmox.byHand("triad-20260101T000000Z", ours);
    proxmox.double.fault({ kind: "task-failure", task: "qmdelsnapshot", message: "no such LV" });
    assert.match((await forget()).join("\n"), /^warning: deleting snapshot .*: no such LV/m);
  });

  it("are none of a machine that is not there yet", async () => {
    assert.deepEqual(await forget(206), []);
  });
});
