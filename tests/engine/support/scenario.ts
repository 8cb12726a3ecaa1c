import type { DistributionName } from "../../../config/clusterConfig.ts";

/** What the program under test is told. */
export interface Scenario {
  readonly distribution: DistributionName;
  readonly servers: readonly string[];
  /** Further keys of the config. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  /** Machines that nobody can dial. */
  readonly silent: readonly string[];
  readonly ssh: SshWay;
  /** Of Proxmox's API, where machines are created. */
  readonly proxmoxToken?: string;
}

/** The way to every machine. */
export interface SshWay {
  readonly port: number;
  readonly hostKey: string;
  readonly privateKeyFile: string;
}
