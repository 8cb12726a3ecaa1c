import type { DistributionName } from "../clusterConfig.ts";
import type { Complaint } from "./complaint.ts";

/** A released version of Kubernetes, and of k3s where it has a suffix. */
const VERSION = /^(v?)1\.(\d+)\.(\d+)(\+k3s\d+)?$/;

/**
 * The minor versions for which Triad's steps were written; those of kubeadm read v1beta4.
 * @see https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
 */
const MINORS = { kubeadm: { oldest: 31, newest: 35 }, k3s: { oldest: 30, newest: 35 } };
const EXAMPLES = { kubeadm: "v1.34.2", k3s: "v1.33.5+k3s1" };
const HOW_TO_ASK = { kubeadm: "`kubeadm version -o short`", k3s: "`k3s --version`" };

/** Refuses what no distribution would write as its version. */
export function judgeVersion(value: string): Complaint | undefined {
  const match = VERSION.exec(value);
  if (match === null) {
    const cure = `give all of it, for instance ${EXAMPLES.kubeadm} or ${EXAMPLES.k3s}`;
    return { problem: `"${value}" is not a version`, cure };
  }
  if (match[1] === "v") return undefined;
  return { problem: `"${value}" has no v in front`, cure: `did you mean v${value}?` };
}

/** Refuses what is well-formed and yet no version of this distribution that Triad knows. */
export function judgeVersionOf(
  distribution: DistributionName,
  version: string,
): Complaint | undefined {
  const [, , minor, , suffix] = VERSION.exec(version) ?? [];
  if ((suffix !== undefined) !== (distribution === "k3s")) {
    return {
      problem: `${version} is not a version of ${distribution}`,
      cure: `give what ${HOW_TO_ASK[distribution]} says, for instance ${EXAMPLES[distribution]}`,
    };
  }
  const { oldest, newest } = MINORS[distribution];
  if (Number(minor) >= oldest && Number(minor) <= newest) return undefined;
  return {
    problem: `${version} is not supported`,
    cure: `give a version from v1.${oldest} to v1.${newest}`,
  };
}
