import assert from "node:assert/strict";
import type { EtcdMember } from "../../acts/etcdMembers.ts";
import type { LiveCluster } from "../../acts/liveCluster.ts";
import { leaveAndStop } from "../../acts/rollback/takeOut.ts";
import { membershipRequestOf } from "../acts/k3s/found.ts";
import { clusterOf, ConnectionDouble, machineOf, memberOf } from "../acts/k3s/doubles.ts";
import { type OnProxmox, startOnProxmox } from "./support/onProxmox.ts";

const name = "k8s-master-2";
// Nobody answers SSH on its port there, which is told at once.
const machine = machineOf(name, "127.0.0.1");

describe("a server that can't be logged in to, and whose disk is to go back", function () {
  this.timeout(20_000);
  let proxmox: OnProxmox;
  beforeEach(async () => {
    proxmox = await startOnProxmox();
  });
  afterEach(() => proxmox.close());

  function world(list: EtcdMember[]) {
    const connection = new ConnectionDouble(machineOf("k8s-master", "10.0.20.100"), []);
    const plain = clusterOf({ connection, members: list });
    const members = async (): Promise<EtcdMember[]> =>
      list.map((one) => (one.name === name ? { ...one, healthy: proxmox.isRunning() } : one));
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest is not used
    const units = { server: "k3s" } as LiveCluster["distribution"]["units"];
    const cluster = { ...plain, distribution: { ...plain.distribution, members, units } };
    const request = membershipRequestOf(machine, []);
    return async () => await leaveAndStop(cluster, request, proxmox.guest, () => undefined);
  }

  it("is stopped by Proxmox, and its member removed then", async () => {
    const list = [memberOf("k8s-master"), memberOf(name), memberOf("k8s-master-3")];
    await world(list)();
    assert.equal(proxmox.isRunning(), false);
    assert.deepEqual(
      list.map((member) => member.name),
      ["k8s-master", "k8s-master-3"],
    );
  });

  for (const [what, others] of [
    ["of two voters, since the other one could not remove it", [memberOf("k8s-master")]],
    [
      "while another member is ill",
      [memberOf("k8s-master"), memberOf("k8s-master-3", { healthy: false })],
    ],
  ] as const) {
    it(`runs on where etcd needs it: ${what}`, async () => {
      const list = [memberOf(name), ...others];
      const before = list.length;
      await assert.rejects(
        world(list)(),
        /can't be logged in to, and etcd needs it[^]*answers SSH/,
      );
      assert.ok(proxmox.isRunning());
      assert.equal(list.length, before);
    });
  }

  it("is only stopped where etcd does not know it any more", async () => {
    const list = [memberOf("k8s-master")];
    await world(list)();
    assert.equal(proxmox.isRunning(), false);
    assert.equal(list.length, 1);
  });
});
