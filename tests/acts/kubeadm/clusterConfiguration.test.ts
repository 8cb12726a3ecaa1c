import { strict as assert } from "node:assert";
import { parse, stringify } from "yaml";
import { pointKubeconfig, withEndpoint } from "../../../acts/kubeadm/clusterConfiguration.ts";

const endpoint = { name: "k8s-apiserver.homelab.test", address: "10.0.20.99", port: 6443 };

const found = `apiServer: {}
apiVersion: kubeadm.k8s.io/v1beta4
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
etcd:
  local:
    dataDir: /var/lib/etcd
kind: ClusterConfiguration
kubernetesVersion: v1.34.2
`;

describe("kubeadm's ClusterConfiguration", () => {
  it("gets the endpoint and its names, and keeps all else", () => {
    const after = parse(withEndpoint(found, endpoint));
    assert.equal(after.controlPlaneEndpoint, "k8s-apiserver.homelab.test:6443");
    assert.deepEqual(after.apiServer.certSANs, ["k8s-apiserver.homelab.test", "10.0.20.99"]);
    assert.equal(after.certificatesDir, "/etc/kubernetes/pki");
    assert.equal(after.etcd.local.dataDir, "/var/lib/etcd");
  });

  it("keeps the names that its certificate had", () => {
    const before = stringify({ ...parse(found), apiServer: { certSANs: ["api.old.example"] } });
    assert.deepEqual(parse(withEndpoint(before, endpoint)).apiServer.certSANs, [
      "api.old.example",
      "k8s-apiserver.homelab.test",
      "10.0.20.99",
    ]);
  });

  it("is unchanged, to the letter, when it has the endpoint already", () => {
    const once = withEndpoint(found, endpoint);
    assert.equal(withEndpoint(once, endpoint), once);
  });
});

describe("a kubeconfig in a ConfigMap", () => {
  const kubeconfig = stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "default",
        cluster: { server: "https://10.0.20.100:6443", "certificate-authority-data": "Q0E=" },
      },
    ],
    contexts: [{ name: "default", context: { cluster: "default", user: "default" } }],
  });

  it("is pointed to the endpoint and keeps its certificate authority", () => {
    const pointed = pointKubeconfig(kubeconfig, endpoint);
    assert.equal(parse(pointed).clusters.length, 1);
    assert.equal(
      parse(pointed).clusters[0].cluster.server,
      "https://k8s-apiserver.homelab.test:6443",
    );
    assert.equal(parse(pointed).clusters[0].cluster["certificate-authority-data"], "Q0E=");
    assert.deepEqual(parse(pointed).contexts, parse(kubeconfig).contexts);
  });

  it("is left to the letter when it points there already", () => {
    const once = pointKubeconfig(kubeconfig, endpoint);
    assert.equal(pointKubeconfig(once, endpoint), once);
  });
});
