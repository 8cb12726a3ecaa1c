import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import type { Credentials } from "./request.ts";

const base64 = z.base64().transform((value) => Buffer.from(value, "base64").toString("utf8"));
const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ "certificate-authority-data": base64 }) })]),
  users: z.tuple([
    z.object({
      user: z.object({ "client-certificate-data": base64, "client-key-data": base64 }),
    }),
  ]),
});

/**
 * Reads the certificates of an administrator's kubeconfig with one cluster and one user, as kubeadm and k3s write it.
 * @throws when it is another kind of kubeconfig
 */
export function readCredentials(kubeconfig: string): Credentials {
  const { clusters, users } = kubeconfigSchema.parse(parse(readFileSync(kubeconfig, "utf8")));
  const { user } = users[0];
  return {
    ca: clusters[0].cluster["certificate-authority-data"],
    cert: user["client-certificate-data"],
    key: user["client-key-data"],
  };
}
