import { cureOfRemoval } from "../../config/values/k3sDefects.ts";
import type { Distribution } from "../distribution.ts";
import { adoptK3s } from "./adopt.ts";
import { k3sMembers, moveK3sLeader, removeK3sMember } from "./etcd.ts";
import { adjustK3s } from "./flags.ts";
import { hideK3sServer } from "./hideServer.ts";
import { initialiseK3s } from "./init.ts";
import { joinK3s } from "./join.ts";

/** Servers as k3s makes them: one process, SQLite until there is to be a second server. */
export const k3s: Distribution = {
  name: "k3s",
  units: { server: "k3s", worker: "k3s-agent" },
  serverPorts: [6443, 2379, 2380, 10250],
  cureOfRemoval,
  members: k3sMembers,
  removeMember: removeK3sMember,
  moveLeader: moveK3sLeader,
  hideServer: hideK3sServer,
  adopt: adoptK3s,
  initialise: initialiseK3s,
  join: joinK3s,
  adjust: adjustK3s,
};
