import { runScript } from "../../ssh/runScript.ts";
import type { Distribution } from "../distribution.ts";
import { parseEtcdMembers } from "../etcdMembers.ts";
import { adoptKubeadm } from "./adopt.ts";
import { ensureFlags } from "./flags.ts";
import { initialiseKubeadm } from "./initialise.ts";
import { joinKubeadm } from "./join.ts";
import { ensureEndpoint } from "./retrofitServer.ts";

const etcd = "kubeadm-etcd.sh";

/** Servers as kubeadm makes them: static pods under kubelet, etcd from the start. */
export const kubeadm: Distribution = {
  name: "kubeadm",
  units: { server: "kubelet", worker: "kubelet" },
  serverPorts: [6443, 2379, 2380, 10250],
  cureOfRemoval: () => undefined,

  async members({ connection }) {
    return parseEtcdMembers(await runScript(connection, { script: etcd, verb: "check" }));
  },
  async removeMember({ connection }, { id }) {
    const variables = { MEMBER_ID: id };
    await runScript(connection, { script: etcd, verb: "remove", variables });
  },
  async moveLeader({ connection }, _leader, { id }) {
    const variables = { MEMBER_ID: id };
    await runScript(connection, { script: etcd, verb: "move-leader", variables });
  },

  hideServer: () => Promise.resolve(),

  adopt: adoptKubeadm,
  initialise: initialiseKubeadm,
  join: joinKubeadm,
  async adjust(cluster, connection, request, { verb, progress }) {
    await ensureEndpoint(cluster, connection, request.machine, request.endpoint, progress);
    if (verb === "update") await ensureFlags(cluster, connection, request, progress);
  },
};
