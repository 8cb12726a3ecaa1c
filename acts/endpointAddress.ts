import type { Endpoint } from "./request.ts";

/** The endpoint as kubeconfigs and kubeadm write it: `name:port`. */
export function endpointAddress({ name, port }: Endpoint): string {
  return `${name}:${port}`;
}

/** What must be in every API server's certificate besides what the distribution puts there itself. */
export function endpointNames({ name, address }: Endpoint): string[] {
  return [...new Set([name, address])];
}
