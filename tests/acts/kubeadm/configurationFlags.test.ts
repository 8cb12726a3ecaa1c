import { strict as assert } from "node:assert";
import { parse } from "yaml";
import { withFlags } from "../../../acts/kubeadm/configurationFlags.ts";

const found = `apiServer:
  extraArgs:
  - name: profiling
    value: "false"
  - name: event-ttl
    value: 1h
apiVersion: kubeadm.k8s.io/v1beta4
etcd:
  local:
    dataDir: /var/lib/etcd
kind: ClusterConfiguration
`;
const none = { server: {}, apiServer: {}, etcd: {}, audit: false };

describe("the flags in kubeadm's configuration", () => {
  it("are unchanged, to the letter, when nothing is asked for", () => {
    assert.equal(withFlags(found, none), found);
  });

  it("are replaced where asked for, and stay otherwise", () => {
    const after = parse(withFlags(found, { ...none, apiServer: { "event-ttl": "2h", v: "2" } }));
    assert.deepEqual(after.apiServer.extraArgs, [
      { name: "profiling", value: "false" },
      { name: "event-ttl", value: "2h" },
      { name: "v", value: "2" },
    ]);
  });

  it("are the same again when asked for again", () => {
    const flags = {
      server: {},
      apiServer: { v: "2" },
      etcd: { "snapshot-count": "20000" },
      audit: true,
    };
    const once = withFlags(found, flags);
    assert.equal(withFlags(once, flags, flags), once);
  });

  it("lose what an earlier run put there and no one asks for any more, and nothing else", () => {
    const earlier = {
      server: {},
      apiServer: { v: "2" },
      etcd: { "snapshot-count": "20000" },
      audit: true,
    };
    const after = parse(withFlags(withFlags(found, earlier), none, earlier));
    assert.deepEqual(after.apiServer.extraArgs, parse(found).apiServer.extraArgs);
    assert.equal(after.apiServer.extraVolumes, undefined);
    assert.deepEqual(after.etcd.local, { dataDir: "/var/lib/etcd" });
  });

  it("bring the audit policy's volumes along, beside those of others", () => {
    const others = found.replace(
      "apiServer:\n",
      "apiServer:\n  extraVolumes:\n  - name: oidc-ca\n    hostPath: /etc/ca\n    mountPath: /etc/ca\n",
    );
    const { extraVolumes } = parse(withFlags(others, { ...none, audit: true })).apiServer;
    assert.deepEqual(
      extraVolumes.map(({ name }: { name: string }) => name),
      ["oidc-ca", "audit-policy", "audit-log"],
    );
  });
});
