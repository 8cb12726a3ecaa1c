import assert from "node:assert/strict";
import type { Verb } from "../../acts/act.ts";
import { checkpoints } from "../../acts/checkpoint/checkpoints.ts";
import { checkpointNote } from "../../acts/checkpoint/naming.ts";
import type { CheckpointsRequest } from "../../acts/request.ts";
import { machineOf } from "../acts/k3s/doubles.ts";
import { type OnProxmox, startOnProxmox } from "./support/onProxmox.ts";

const name = "k8s-master-2";
// Nobody answers SSH on its port there, which is told at once.
const machine = machineOf(name, "127.0.0.1");
const older = "triad-20260101T200000Z";
const newer = "triad-20260202T200000Z";

describe("the act that takes checkpoints", function () {
  this.timeout(20_000);
  let proxmox: OnProxmox;
  let told: string[];
  beforeEach(async () => {
    proxmox = await startOnProxmox();
    process.env["PROXMOX_VE_API_TOKEN"] = proxmox.double.token;
    told = [];
  });
  afterEach(async () => {
    delete process.env["PROXMOX_VE_API_TOKEN"];
    await proxmox.close();
  });

  async function act(
    verb: Verb,
    previous?: unknown,
    changes: Partial<CheckpointsRequest> = {},
  ): Promise<object> {
    const request: CheckpointsRequest = {
      distribution: "kubeadm",
      identity: { agent: false },
      peers: [machine],
      clusterName: "homelab",
      proxmox: { endpoint: proxmox.double.url, insecure: false },
      keep: 1,
      guests: [{ machine, vmId: 205 }],
      change: { version: "v1.34.2" },
      ...changes,
    };
    return await checkpoints(request, { verb, previous, progress: (line) => void told.push(line) });
  }

  const hasLooked = (): boolean => told.some((line) => line.startsWith("no server lives"));

  it("takes none where no server lives yet: what comes next says whether there may be a cluster", async () => {
    const { taken } = Object(await act("create"));
    assert.deepEqual(taken, {});
    assert.ok(hasLooked());
    assert.deepEqual(await proxmox.snapshots(), []);
  });

  it("takes them once for each change, and only deletes where just their number has changed", async () => {
    const answer = await act("create");
    const note = checkpointNote({ machine: name, cluster: "homelab", servers: 3 });
    for (const one of [older, newer]) await proxmox.byHand(one, note);
    told = [];
    assert.deepEqual(await act("update", answer, { keep: 2 }), answer);
    assert.equal((await proxmox.snapshots()).length, 2);
    await act("update", answer, { keep: 1 });
    assert.deepEqual(
      (await proxmox.snapshots()).map((one) => one.name),
      [newer],
    );
    assert.ok(!hasLooked());
    const changed = await act("update", answer, { change: { version: "v1.34.3" } });
    assert.ok(hasLooked());
    assert.notDeepEqual(changed, answer);
  });

  it("asks nobody without a token, and says which variable has it", async () => {
    delete process.env["PROXMOX_VE_API_TOKEN"];
    await assert.rejects(act("create"), /PROXMOX_VE_API_TOKEN is missing[^]*triad:proxmoxToken/);
  });

  it("leaves what was kept when it is deleted", async () => {
    await proxmox.byHand(older);
    assert.deepEqual(await act("delete"), {});
    assert.equal((await proxmox.snapshots()).length, 1);
  });
});
