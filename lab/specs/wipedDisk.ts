import { isK3s } from "./support.ts";

/** A difference between a wiped machine's disk and how it was found that is meant to be. */
interface Exception {
  readonly path: RegExp;
  readonly reason: string;
}

const exceptions: readonly Exception[] = [
  { path: /^\/var\/log\//, reason: "the machine's own logs, which tell what was done" },
  { path: /^\/var\/lib\/systemd\//, reason: "systemd's own stamps of timers and randomness" },
  {
    path: /^\/var\/lib\/triad(\/(left|backups|snapshots)(\/.*)?)?$/,
    reason: "copies of what the server held: Triad never deletes a backup",
  },
  {
    path: /^\/var\/(cache|lib)\/(apt|dpkg|ucf)\//,
    reason: "what Debian's packaging notes when packages come and go",
  },
  {
    path: /^\/var\/lib\/haproxy\/dev\/log$/,
    reason: "the mount point that systemd makes when Debian's unit of HAProxy first starts",
  },
  {
    path: /^\/etc\/(passwd|group|shadow|gshadow)-$/,
    reason: "the copies that Debian makes before it adds a package's user",
  },
];

/** The machine was an agent before. */
const ofAgent: readonly Exception[] = [
  {
    path: /^\/etc\/systemd\/system\/(multi-user\.target\.wants\/)?k3s-agent\.service(\.env)?$/,
    reason:
      "its cluster is no more, so it starts no more; the unit is kept beside what the server held",
  },
  {
    path: /^\/usr\/local\/bin\/k3s-agent-uninstall\.sh$/,
    reason: "it goes with the agent's unit, and is kept with it",
  },
  {
    path: /^\/var\/lib\/(rancher\/k3s\/agent|kubelet|cni)(\/|$)/,
    reason: "what a Node of that cluster held",
  },
];

/** Of the differences, those that no reason was given for. */
export function unlikeFound(differences: readonly string[]): string[] {
  const known = isK3s ? [...exceptions, ...ofAgent] : exceptions;
  return differences.filter((line) => {
    const path = line.slice(2).replace(/: .*/, "");
    return !known.some((exception) => exception.path.test(path));
  });
}
