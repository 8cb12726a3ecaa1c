import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { parse } from "yaml";
import type { FoundConfig } from "../../../acts/k3s/foundConfig.ts";
import { configPath, renderServerConfig, type Way } from "../../../acts/k3s/serverConfig.ts";
import { endpoint, file, flags, installed, machine } from "./found.ts";

function render(found?: FoundConfig, way: Way = { clusterInit: true }): unknown {
  return parse(renderServerConfig({ machine, endpoint, flags, way }, found));
}

describe("the configuration of a k3s server", () => {
  it("says what all say, how it finds its cluster, and which machine it is", () => {
    assert.deepEqual(render(installed), {
      "cluster-init": true,
      "tls-san+": ["k3s.home.arpa", "192.168.1.2"],
      "node-ip": "192.168.1.5",
      "node-name": "thinkpad-192-168-1-5",
      disable: ["servicelb"],
      "write-kubeconfig-mode": "644",
      "etcd-snapshot-schedule-cron": "0 2 * * *",
      "etcd-snapshot-retention": 14,
      "etcd-snapshot-compress": true,
      "etcd-snapshot-dir": "/var/lib/triad/snapshots",
    });
  });

  it("of a joining server differs in nothing but its way and its machine", () => {
    const one = renderServerConfig({ machine, endpoint, flags, way: { clusterInit: true } });
    const other = renderServerConfig({
      machine: { nodeName: "shuttle-192-168-1-12", address: "192.168.1.12" },
      endpoint,
      flags,
      way: { server: "https://192.168.1.2:8443" },
    });
    const shared = (text: string): string =>
      text.replace(/^(cluster-init|server|node-ip|node-name): .*\n/gm, "");
    assert.equal(shared(one), shared(other));
    assert.match(other, /^server: "https:\/\/192\.168\.1\.2:8443"$/m);
  });

  it("carries over what only the command line said of this machine, its token and its names too", () => {
    const found = {
      ...installed,
      arguments: [
        "server",
        "--node-ip=10.0.0.5,fd00::5",
        "--node-label=disk=ssd",
        "--kubelet-arg=max-pods=200",
        "--tls-san=old.home.arpa",
        "--token=secret",
        "--with-node-id",
        "--server=https://first:6443",
      ],
    };
    const rendered = renderServerConfig({ machine, endpoint, flags, way: "keep" }, found);
    assert.deepEqual(Object.entries(Object(parse(rendered))).slice(0, 6), [
      ["tls-san+", ["k3s.home.arpa", "192.168.1.2", "old.home.arpa"]],
      ["kubelet-arg", ["max-pods=200"]],
      ["node-ip", "10.0.0.5,fd00::5"],
      ["node-label", "disk=ssd"],
      ["token", "secret"],
      ["with-node-id", true],
    ]);
    assert.doesNotMatch(rendered, /first:6443|node-name/);
  });

  it("leaves to other files and the environment what they say of the machine", () => {
    const found = {
      ...installed,
      arguments: ["server"],
      environment: { K3S_NODE_NAME: "lady" },
      files: [file("flannel-iface: eth1\nnode-label: [a=b]\n")],
    };
    const rendered = renderServerConfig({ machine, endpoint, flags, way: "keep" }, found);
    assert.doesNotMatch(rendered, /node-ip|node-name|node-label|flannel-iface/);
  });

  it("stays the same when it is rendered from itself", () => {
    const words = fc.array(
      fc.constantFrom(
        "--node-ip=10.0.0.5",
        "--node-name=lady",
        "--node-label=a=b",
        "--node-label=c=d",
        "--kubelet-arg=max-pods=9",
        "--tls-san=z.example,a.example",
        "--flannel-iface=eth0",
        "--with-node-id",
        "--debug=false",
        "--v=2",
        "--token=K10abc::server:pw",
      ),
    );
    fc.assert(
      fc.property(words, (args) => {
        const first = { ...installed, arguments: ["server", ...args] };
        const wanted = { machine, endpoint, flags, way: { clusterInit: true } } as const;
        const once = renderServerConfig(wanted, first);
        const files = [{ path: configPath, text: once }];
        assert.equal(renderServerConfig(wanted, { ...first, arguments: ["server"], files }), once);
        // Also while the unit's own command line is still there.
        assert.equal(renderServerConfig(wanted, { ...first, files }), once);
      }),
    );
  });
});
