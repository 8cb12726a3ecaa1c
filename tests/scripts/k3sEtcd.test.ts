import assert from "node:assert/strict";
import { K3sBench, version } from "./support/k3sBench.ts";

describe("scripts/k3s-etcd.sh, k3s-access.sh and k3s-init.sh", function () {
  this.timeout(30_000);
  this.slow(4000);

  let bench: K3sBench;
  beforeEach(() => {
    bench = new K3sBench();
  });
  afterEach(() => {
    bench.stop();
  });

  const list = {
    header: { member_id: "14532165781622267127" },
    members: [
      {
        ID: "14532165781622267127",
        name: "thinkpad-1a2b3c4d",
        peerURLs: ["https://192.168.1.5:2380"],
        clientURLs: ["https://192.168.1.5:2379"],
      },
      {
        ID: "92",
        name: "shuttle-5e6f7a8b",
        peerURLs: ["https://192.168.1.12:2380"],
        clientURLs: ["https://192.168.1.12:2379"],
      },
    ],
  };
  const status = { header: { member_id: "14532165781622267127" }, leader: "92" };

  it("says of SQLite that there are no members", async () => {
    bench.root.write("var/lib/rancher/k3s/server/db/state.db", "");
    assert.deepEqual(await bench.succeed("k3s-etcd.sh", "check"), {
      datastore: "sqlite",
      list: null,
      status: {},
    });
  });

  describe("on etcd", () => {
    beforeEach(() => {
      bench.root.write("var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal", "");
    });

    it("tells the list and its own member's state, asked linearizably on the gateway's own port", async () => {
      bench.gateway("list", list);
      bench.gateway("status", status);
      assert.deepEqual(await bench.succeed("k3s-etcd.sh", "check"), {
        datastore: "etcd",
        list,
        status: { "https://192.168.1.5:2379": status },
      });
      const [call = ""] = bench.root.calls("curl");
      assert.match(
        call,
        /--data \{"linearizable":true\} https:\/\/127\.0\.0\.1:2382\/v3\/cluster\/member\/list$/,
      );
      assert.match(call, /server\/tls\/etcd\/server-ca\.crt .*client\.crt .*client\.key /);
      assert.deepEqual(await bench.succeed("k3s-etcd.sh", "status"), { status });
    });

    it("fails without a quorum, and then knows nothing of its own state", async () => {
      assert.notEqual((await bench.script("k3s-etcd.sh", "check")).exitCode, 0);
      assert.deepEqual(await bench.succeed("k3s-etcd.sh", "status"), { status: null });
    });

    it("removes a member by its id, and fails where that is refused", async () => {
      const remove = async (): ReturnType<K3sBench["script"]> =>
        await bench.script("k3s-etcd.sh", "remove", { MEMBER_ID: "14532165781622267127" });
      assert.notEqual((await remove()).exitCode, 0);
      bench.gateway("remove", {});
      assert.deepEqual((await remove()).result, { changed: true });
      assert.match(bench.root.calls("curl").at(-1) ?? "", /"ID":"14532165781622267127"/);
    });
  });

  it("hands out the kubeconfig of a server and says whether its API answers", async () => {
    const none = { server: false, ready: false };
    assert.deepEqual(await bench.succeed("k3s-access.sh", "check"), none);
    bench.root.write("etc/rancher/k3s/k3s.yaml", "kind: Config\n");
    assert.deepEqual(await bench.succeed("k3s-access.sh", "check"), none);
    bench.root.write("etc/systemd/system/k3s.service", "");
    const kubeconfig = Buffer.from("kind: Config\n").toString("base64");
    const check = async (): Promise<unknown> => await bench.succeed("k3s-access.sh", "check");
    assert.deepEqual(await check(), { server: true, ready: false, kubeconfig });
    bench.switchOn("k3s");
    assert.deepEqual(await check(), { server: true, ready: true, kubeconfig });
  });

  it("hands out the servers' token, and says where it is missing", async () => {
    assert.match((await bench.script("k3s-access.sh", "token")).stderr, /server\/token is missing/);
    bench.root.write("var/lib/rancher/k3s/server/token", "K10a::server:b\n");
    assert.deepEqual(await bench.succeed("k3s-access.sh", "token"), { token: "K10a::server:b" });
  });

  describe("a new cluster", () => {
    const variables = { CONFIG: "cluster-init: true\n", VERSION: version, AUDIT_POLICY: "" };

    it("is created once", async () => {
      assert.deepEqual(await bench.succeed("k3s-init.sh", "ensure", variables), { changed: true });
      bench.root.write("var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal", "");
      assert.deepEqual(await bench.succeed("k3s-init.sh", "ensure", variables), { changed: false });
      assert.ok(bench.isEnabled("k3s"));
      assert.deepEqual(await bench.succeed("k3s-join.sh", "check"), { joined: false });
    });

    it("is not created over data, nor on an agent", async () => {
      bench.root.write("var/lib/rancher/k3s/server/db/state.db", "");
      const over = await bench.script("k3s-init.sh", "ensure", variables);
      assert.match(over.stderr, /holds the data of a sqlite datastore/);
      const other = new K3sBench();
      other.installAgent();
      const run = await other.script("k3s-init.sh", "ensure", variables);
      assert.match(run.stderr, /is an agent of a k3s cluster/);
      other.stop();
    });

    it("is gone on with after a run that was cut off", async () => {
      bench.onStart(
        "k3s",
        "mkdir -p $TRIAD_ROOT/var/lib/rancher/k3s/server/db/etcd/member/wal; exit 1",
      );
      assert.equal((await bench.script("k3s-init.sh", "ensure", variables)).exitCode, 1);
      bench.onStart("k3s", "run");
      assert.deepEqual(await bench.succeed("k3s-init.sh", "ensure", variables), { changed: true });
    });
  });
});
