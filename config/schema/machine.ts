import { z } from "zod";
import { text } from "../values/complaint.ts";
import { HOW_TO_GET, judgeHostKey } from "../values/hostKey.ts";
import { judgeDnsName, judgeInterfaceName, judgeNotEmpty, judgeUserName } from "../values/names.ts";
import { judgeIpv4 } from "../values/network.ts";
import { port } from "../values/port.ts";
import { vm } from "./proxmox.ts";

const EXAMPLE_HOST_KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMl9mVSCtVMaZRbaj+GLCL3ODspXU0LXJQzMP2NF0lIm";

/** What may be said of a machine. */
export const machine = z.strictObject({
  address: text(judgeIpv4, "10.0.20.100").describe(
    "IPv4 address, used for SSH and by the cluster. No two machines share one.",
  ),
  hostKey: text(judgeHostKey, EXAMPLE_HOST_KEY)
    .describe(
      "Its SSH host key, the first two words of /etc/ssh/ssh_host_ed25519_key.pub. A machine that shows another one is not talked to. Required; of a machine with `proxmox`, `pulumi preview` says which.",
    )
    .meta({ cure: HOW_TO_GET })
    .exactOptional(),
  nodeName: text(judgeDnsName, "k8s-master")
    .exactOptional()
    .describe("Its name as a Kubernetes Node. Default: its name here."),
  ssh: z
    .strictObject({
      user: text(judgeUserName, "ops").exactOptional().describe("Default: the user of `ssh`."),
      port: port.exactOptional().describe("Default: the port of `ssh`."),
    })
    .prefault({})
    .describe("What differs from `ssh` on this machine."),
  interface: text(judgeInterfaceName, "eth0")
    .exactOptional()
    .describe("Network interface that has the address. Default: looked up on the machine."),
  gone: z
    .boolean()
    .default(false)
    .describe(
      "Say true when the machine is lost for good or has lost its disk: the next `up` removes what the cluster remembers of it, and logs in to it no more. After that take it off its list; or, once a new machine with its name and address runs, give the new `hostKey` and take this away.",
    ),
  proxmox: vm
    .exactOptional()
    .describe(
      "Given for a machine that is to be created, as a virtual machine, once it has a role; without one it is destroyed. Default: it exists.",
    ),
  rolledBack: text(judgeNotEmpty, "triad-20260101T200000Z")
    .exactOptional()
    .describe(
      "The checkpoint that its disk went back to, as `make rollback` says at its end: what was done on it since is done anew. May be taken away later. Default: it was not rolled back.",
    ),
  becomes: z
    .enum(["worker"])
    .exactOptional()
    .describe(
      "What a server is once it has left: worker keeps its Node and pods. Default: it is cleaned of what Triad brought; an agent that k3s promoted is an agent again.",
    ),
});
