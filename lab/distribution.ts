import type { LabRole } from "./topology.ts";

/** A client's certificate of etcd, as files on a server. */
export interface EtcdAccess {
  /** Of etcd's JSON gateway on the server itself. */
  readonly port: number;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Everything in which a lab with one distribution differs from a lab with the other. */
export interface LabDistribution {
  readonly name: "kubeadm" | "k3s";
  /** The administrator's kubeconfig on a server, with one cluster and one user. */
  readonly adminKubeconfig: string;
  readonly etcd: EtcdAccess;
  readonly containerd: {
    readonly socket: string;
    /** Its data, which lie on the computer's own disk. */
    readonly data: string;
  };
  /** What of Debian's services has been enabled on a machine of each role. */
  readonly services: Readonly<Record<LabRole, readonly string[]>>;
  /** Restarts the only API server, as bare as it gets. */
  readonly restartApiServer: readonly string[];
  /** Flags of etcd that the bench tries besides: etcd's own pace, where the distribution sets a slower one. */
  readonly quickEtcd?: Readonly<Record<string, string>>;
}

/** kubeadm with stacked etcd, and containerd as Debian packages it. */
export const kubeadm: LabDistribution = {
  name: "kubeadm",
  adminKubeconfig: "/etc/kubernetes/admin.conf",
  etcd: {
    port: 2379,
    ca: "/etc/kubernetes/pki/etcd/ca.crt",
    certificate: "/etc/kubernetes/pki/etcd/healthcheck-client.crt",
    key: "/etc/kubernetes/pki/etcd/healthcheck-client.key",
  },
  containerd: { socket: "/run/containerd/containerd.sock", data: "/var/lib/containerd" },
  services: {
    server: ["containerd"],
    worker: ["containerd"],
    "load-balancer": ["haproxy", "keepalived"],
    dns: ["named"],
  },
  // Asked to end, it would first wait up to a minute for its requests; kubelet starts it again.
  restartApiServer: ["pkill", "--signal", "KILL", "--exact", "kube-apiserver"],
};

/**
 * k3s, which brings containerd along and keeps everything below its own folder. Its etcd speaks only gRPC on 2379.
 * @see https://github.com/k3s-io/k3s/blob/v1.34.2%2Bk3s1/pkg/etcd/etcd.go
 */
export const k3s: LabDistribution = {
  name: "k3s",
  adminKubeconfig: "/etc/rancher/k3s/k3s.yaml",
  etcd: {
    port: 2382,
    ca: "/var/lib/rancher/k3s/server/tls/etcd/server-ca.crt",
    certificate: "/var/lib/rancher/k3s/server/tls/etcd/client.crt",
    key: "/var/lib/rancher/k3s/server/tls/etcd/client.key",
  },
  containerd: {
    socket: "/run/k3s/containerd/containerd.sock",
    data: "/var/lib/rancher/k3s/agent/containerd",
  },
  services: { server: [], worker: [], "load-balancer": ["haproxy", "keepalived"], dns: ["named"] },
  restartApiServer: ["systemctl", "restart", "k3s"],
  quickEtcd: { "heartbeat-interval": "100", "election-timeout": "1000" },
};
