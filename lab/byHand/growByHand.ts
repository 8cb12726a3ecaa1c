import type { LabDistribution } from "../distribution.ts";
import type { Step } from "../measure/steps.ts";
import type { Topology } from "../topology.ts";
import { growK3s } from "./k3s.ts";
import { growKubeadm } from "./kubeadm.ts";

/** Does something and notes under a name how long it took. */
export type Timed = <T>(name: string, act: () => Promise<T>) => Promise<T>;

/** Takes a lab from one server to all by hand; what is not to be timed is not done by `timed`. */
export type GrowByHand = (topology: Topology, timed: Timed) => Promise<void>;

const ways: Readonly<Record<LabDistribution["name"], GrowByHand>> = {
  kubeadm: growKubeadm,
  k3s: growK3s,
};

/**
 * Takes the lab from one server to all of them by typing commands instead of with Triad, so that there is something
 * to compare with. The step "one → three" is over all, until every member votes and every Node is Ready.
 */
export async function growByHand(
  topology: Topology,
  tell: (line: string) => void,
): Promise<Step[]> {
  const steps: Step[] = [];
  await ways[topology.distribution.name](topology, async (name, act) => {
    const startMs = Date.now();
    const result = await act();
    steps.push({ name: `by hand: ${name}`, startMs, endMs: Date.now() });
    tell(name);
    return result;
  });
  return steps.toSorted((one, other) => one.startMs - other.startMs);
}
