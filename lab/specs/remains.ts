import { exec } from "../machines/machine.ts";
import { kubectl } from "../measure/inside.ts";
import { balancersOf, machinesWith, type LabMachine } from "../topology.ts";
import { onDisk } from "./moments.ts";
import { isK3s, topology } from "./support.ts";

/** What makes a machine a server, by distribution. */
const serverFiles = {
  kubeadm: [
    "/etc/kubernetes/manifests/kube-apiserver.yaml",
    "/etc/kubernetes/manifests/etcd.yaml",
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/controller-manager.conf",
    "/etc/kubernetes/scheduler.conf",
    "/etc/kubernetes/pki/ca.key",
    "/etc/kubernetes/pki/etcd",
    "/var/lib/etcd/member",
  ],
  k3s: [
    "/var/lib/rancher/k3s/server",
    "/etc/systemd/system/k3s.service",
    "/etc/systemd/system/k3s.service.env",
    "/etc/rancher/k3s/config.yaml.d/50-triad.yaml",
  ],
} as const;

/** And what makes it any node. */
const nodeFiles = {
  kubeadm: ["/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/config.yaml"],
  // containerd's folder is a mount in the lab, which can be emptied only.
  k3s: ["/etc/systemd/system/k3s-agent.service", "/var/lib/rancher/k3s/agent/client-kubelet.crt"],
} as const;

/** Whether a machine that stops being a server goes back to what it was: k3s promotes agents. */
export function isAgentAgain({ before }: LabMachine): boolean {
  return isK3s && before === "worker";
}

/**
 * What is left of a server on its machine, in the cluster and on the load balancers, in words; nothing when it has left
 * wholly.
 * @param staysNode whether its machine is a worker now
 */
export async function remainsOf(machine: LabMachine, staysNode: boolean): Promise<string[]> {
  return [
    ...(await remainsOnMachine(machine, staysNode)),
    ...(await inCluster(machine, staysNode)),
    ...(await onBalancers(machine)),
  ];
}

/** Of that, what is on the machine: also once there is no cluster any more. */
export async function remainsOnMachine(
  { name }: LabMachine,
  staysNode: boolean,
): Promise<string[]> {
  const kind = topology.distribution.name;
  const files = [...serverFiles[kind], ...(staysNode ? [] : nodeFiles[kind])];
  const processes = ["kube-apiserver", "etcd", ...(staysNode ? [] : ["kubelet", "k3s.*"])];
  const balancing = machinesWith(topology, "load-balancer").length === 0;
  const services = balancing ? ["haproxy", "keepalived"] : [];
  const script = [
    `for file in ${files.join(" ")}; do ! test -e $file || echo the file $file; done`,
    `for process in ${processes.map((one) => `'${one}'`).join(" ")}; do ! pgrep -x "$process" >&2 || echo the process $process; done`,
    `for service in ${services.join(" ")}; do ! systemctl is-active -q $service || echo the service $service; done`,
    `! ip -oneline address | grep -F ' ${topology.endpoint.address}/' >&2 || echo the address of the endpoint`,
  ].join("\n");
  const { stdout } = await exec(name, ["bash", "-c", script]);
  return linesOf(stdout);
}

async function inCluster({ name }: LabMachine, staysNode: boolean): Promise<string[]> {
  const get = (...what: readonly string[]): Promise<string> =>
    kubectl(topology, ["get", ...what, "--ignore-not-found", "-o=name"]);
  if (!staysNode) {
    const secret = ["secret", `${name}.node-password.k3s`, "--namespace=kube-system"];
    return [...linesOf(await get("node", name)), ...linesOf(await get(...secret))];
  }
  const labelled = ["nodes", "--selector=node-role.kubernetes.io/control-plane", "-o=name"];
  const servers = linesOf(await kubectl(topology, ["get", ...labelled]));
  return servers.includes(`node/${name}`) ? [`node/${name} with the label of a server`] : [];
}

/** Those that run on must not send it anybody. */
async function onBalancers({ name }: LabMachine): Promise<string[]> {
  const others = balancersOf(topology).filter((balancer) => balancer.name !== name);
  const found = await Promise.all(
    others.map(async (balancer) => {
      if ((await exec(balancer.name, ["systemctl", "is-active", "haproxy"])).exitCode !== 0)
        return [];
      const state = onDisk(balancer, `/var/lib/triad/haproxy/${name}`).trim();
      return state === "ready" ? [`HAProxy on ${balancer.name} sends clients there`] : [];
    }),
  );
  return found.flat();
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
