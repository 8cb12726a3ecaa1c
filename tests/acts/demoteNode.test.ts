import { strict as assert } from "node:assert";
import { demotion } from "../../acts/demoteNode.ts";

const role = "node-role.kubernetes.io";

describe("a Node whose machine is a worker again", () => {
  it("loses what made it a server of k3s, and nothing else", () => {
    const patch = demotion({
      metadata: {
        labels: { [`${role}/control-plane`]: "true", [`${role}/etcd`]: "true", disk: "ssd" },
        annotations: {
          "etcd.k3s.cattle.io/node-name": "hp-0a1b2c3d",
          "triad.dev/membership": "nonce",
          "flannel.alpha.coreos.com/public-ip": "192.168.1.6",
        },
        finalizers: ["wrangler.cattle.io/node", "wrangler.cattle.io/managed-etcd-controller"],
      },
    });
    assert.deepEqual(patch, {
      metadata: {
        labels: { [`${role}/control-plane`]: null, [`${role}/etcd`]: null },
        annotations: { "etcd.k3s.cattle.io/node-name": null, "triad.dev/membership": null },
        finalizers: ["wrangler.cattle.io/node"],
      },
      spec: {},
    });
  });

  it("loses what made it a server of kubeadm, and may have pods again", () => {
    const patch = demotion({
      metadata: {
        labels: {
          [`${role}/control-plane`]: "",
          "node.kubernetes.io/exclude-from-external-load-balancers": "",
          "kubernetes.io/hostname": "k8s-master-3",
        },
        annotations: {
          "kubeadm.alpha.kubernetes.io/cri-socket": "unix:///run/containerd/containerd.sock",
          "triad.dev/becomes": "worker",
          "triad.dev/cordoned": "leaving",
        },
      },
      spec: {
        unschedulable: true,
        taints: [
          { key: `${role}/control-plane`, effect: "NoSchedule" },
          { key: "disk", value: "slow", effect: "PreferNoSchedule" },
        ],
      },
    });
    assert.deepEqual(patch, {
      metadata: {
        labels: {
          [`${role}/control-plane`]: null,
          "node.kubernetes.io/exclude-from-external-load-balancers": null,
        },
        annotations: { "triad.dev/becomes": null, "triad.dev/cordoned": null },
        finalizers: [],
      },
      spec: {
        taints: [{ key: "disk", value: "slow", effect: "PreferNoSchedule" }],
        unschedulable: null,
      },
    });
  });

  it("stays cordoned where somebody else had cordoned it", () => {
    assert.deepEqual(demotion({ metadata: {}, spec: { unschedulable: true } }), {
      metadata: { labels: {}, annotations: {}, finalizers: [] },
      spec: {},
    });
  });
});
