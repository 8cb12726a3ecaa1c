import type { Complaint } from "./complaint.ts";

/**
 * The minor versions whose kubeadm reads v1beta4 and which Triad's steps were written for.
 * @see https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
const OLDEST_MINOR = 31;
const NEWEST_MINOR = 35;

/** Refuses what is no released version of Kubernetes that Triad knows. */
export function judgeVersion(value: string): Complaint | undefined {
  const match = /^(v?)(\d+)\.(\d+)\.(\d+)$/.exec(value);
  if (match === null) {
    return { problem: `"${value}" is not a version`, cure: "give all of it, for instance v1.34.2" };
  }
  const [, prefix, major, minor] = match;
  const isKnown = major === "1" && Number(minor) >= OLDEST_MINOR && Number(minor) <= NEWEST_MINOR;
  if (!isKnown) {
    return {
      problem: `${value} is not supported`,
      cure: `give a version from v1.${OLDEST_MINOR} to v1.${NEWEST_MINOR}`,
    };
  }
  if (prefix === "v") return undefined;
  return { problem: `"${value}" has no v in front`, cure: `did you mean v${value}?` };
}
