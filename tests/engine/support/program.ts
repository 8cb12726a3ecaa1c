import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "../../../components/cluster.ts";
import { sampleK3sPlan, samplePlan } from "../../support/samplePlan.ts";
import type { Scenario } from "./scenario.ts";

const scenario: Scenario = JSON.parse(readFileSync("scenario.json", "utf8"));
const { distribution, overrides, proxmoxToken, silent, ssh } = scenario;

// Only the way to a machine is another: all of them are one server on this computer, which knows by the user's name
// which command dials. A machine that is silent has no port.
pulumi.runtime.registerStackTransformation(({ type, name, props, opts }) => {
  if (type !== "command:remote:Command") return undefined;
  const isSilent = silent.some((machine) => name.startsWith(`${machine}-`));
  const { privateKey } = props["connection"];
  const connection = {
    host: "127.0.0.1",
    port: isSilent ? 1 : ssh.port,
    user: name,
    hostKey: ssh.hostKey,
    dialErrorLimit: 1,
    privateKey,
  };
  return { props: { ...props, connection }, opts };
});

const plan = (distribution === "k3s" ? sampleK3sPlan : samplePlan)(scenario.servers, {
  ...overrides,
  ssh: { user: "ops", privateKeyFile: ssh.privateKeyFile },
});
const cluster = new Cluster("homelab", {
  plan,
  tsigSecret: distribution === "k3s" ? undefined : pulumi.secret("dHNpZw=="),
  auditPolicy: "",
  ...(proxmoxToken === undefined
    ? {}
    : {
        vmSecrets: {
          token: pulumi.secret(proxmoxToken),
          hostKeySeed: pulumi.secret("0123456789abcdef0123456789abcdef"),
        },
      }),
});

export const { servers } = cluster;
