import {
  appears,
  changes,
  isRemoved,
  learns,
  type Moment,
  reads,
  says,
  slowly,
  votes,
} from "./moments.ts";
import { machineAs, onDisk, type Part } from "./scene.ts";

const conversionFolder = "/var/lib/triad/conversion";

/** Moments inside the conversion of k3s from SQLite to etcd, in their order. */
export const conversion = {
  stopped: slowly(
    appears("when k3s is stopped and copied aside", "first", `${conversionFolder}/cold/complete`),
  ),
  copying: slowly(
    appears("while keys are copied", "first", "/var/lib/rancher/k3s/server/db/etcd/member/wal"),
  ),
  copied: slowly(
    appears(
      "when all is copied, before it is compared",
      "first",
      "/var/lib/rancher/k3s/server/db/state.db.migrated",
    ),
  ),
  compared: reads(
    "while those who watch are restarted",
    "first",
    `${conversionFolder}/phase`,
    "copied",
  ),
} as const;

/** Moments inside the retrofit of kubeadm's cluster, in their order. */
export const retrofit = {
  certificate: appears("while a certificate is made", "first", "/var/lib/triad/retrofit"),
  taken: changes(
    "while the API server takes its certificate",
    "first",
    "/etc/kubernetes/pki/apiserver.crt",
  ),
  told: says("while the cluster is told", /writing endpoint and flags/),
} as const;

/** Moments inside a join, in their order. */
export const join = {
  begun: (part: Part): Moment =>
    appears("before its member is added", part, "/var/lib/triad/joined"),
  learns,
  votes,
} as const;

/** A server gets no more connections from the first load balancer. */
function drained(part: Part): Moment {
  return {
    what: "when it gets no more clients",
    watch: ({ topology }) => {
      const balancer = machineAs(topology, "balancer");
      const file = `/var/lib/triad/haproxy/${machineAs(topology, part).name}`;
      return () => onDisk(balancer, file).trim() === "disabled";
    },
  };
}

/** Moments while the third server leaves, in their order. */
export const leaving = {
  drained: drained("third"),
  removed: isRemoved("third"),
  cleaned: appears("while it is cleaned", "third", "/var/lib/triad/left"),
} as const;
