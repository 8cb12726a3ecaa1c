import type { LabDistribution } from "../distribution.ts";
import type { Topology } from "../topology.ts";
import { k3sArtifacts } from "./k3sArtifacts.ts";
import { kubeadmArtifacts } from "./kubeadmArtifacts.ts";

/** What a lab is made of, and where it lies. */
export interface Artifacts {
  /** The folder with the operator's kubectl. */
  readonly kubectl: string;
  /** The store of container images that the mirror serves as a registry does. */
  readonly images: string;
  /** Folders that the mirror serves, by the beginning of the address. */
  readonly files: Readonly<Record<string, string>>;
  /** Differs when anything differs that machines get. */
  readonly version: string;
}

const ways: Readonly<
  Record<LabDistribution["name"], (machineImage: string) => Promise<Artifacts>>
> = { kubeadm: kubeadmArtifacts, k3s: k3sArtifacts };

/** Gets everything that a lab of this home needs: downloaded where it can be had, or built, once. */
export function ensureArtifacts(topology: Topology, machineImage: string): Promise<Artifacts> {
  return ways[topology.distribution.name](machineImage);
}
