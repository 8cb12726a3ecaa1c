import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the project. */
export const projectFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where everything fetched or built is kept, by version. */
export const cacheFolder = join(
  process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  "triad",
);

/** Everything of the lab that is now up: keys, disks, Pulumi's state. `down` removes it. */
export const stateFolder = join(
  process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"),
  "triad",
  "lab",
);

/** What must be gone after a reboot of the computer, as what it remembers is. */
export const runtimeFolder = "/run/triad-lab";

/** The files of a lab's state. */
export const statePaths = {
  lab: join(stateFolder, "lab.json"),
  sshKey: join(stateFolder, "ssh", "id_ed25519"),
  hostKey: (machine: string): string => join(stateFolder, "ssh", "hosts", machine),
  tsigSecret: join(stateFolder, "tsig.secret"),
  kubeconfig: join(stateFolder, "kubeconfig"),
  /** Of the cluster whose kubeconfig that is. */
  clusterCa: join(stateFolder, "cluster-ca.crt"),
  machine: (machine: string): string => join(stateFolder, "machines", machine),
  residents: join(stateFolder, "residents.json"),
  mirrorLog: join(stateFolder, "mirror.log"),
  pulumiBackend: join(stateFolder, "pulumi"),
  pulumiHome: join(stateFolder, "pulumi-home"),
  passphrase: join(stateFolder, "pulumi.passphrase"),
  /** Of the double of Proxmox: what it needs, and what it leaves. */
  proxmox: {
    token: join(stateFolder, "proxmox", "token.secret"),
    hostKeySeed: join(stateFolder, "proxmox", "host-keys.secret"),
    /** Certificates, of which the authority's is the operator's too. */
    folder: join(stateFolder, "proxmox"),
    authority: join(stateFolder, "proxmox", "ca.crt"),
    socket: join(stateFolder, "proxmox", "control.sock"),
    pid: join(stateFolder, "proxmox", "pid"),
    log: join(stateFolder, "proxmox", "log"),
  },
} as const;
