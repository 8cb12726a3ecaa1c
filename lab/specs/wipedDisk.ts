import { isK3s } from "./support.ts";

/** A difference between a wiped machine's disk and how it was found that is meant to be. */
interface Exception {
  readonly path: RegExp;
  readonly reason: string;
}

const exceptions: readonly Exception[] = [
  { path: /^\/var\/log\//, reason: "the machine's own logs, which tell what was done" },
  { path: /^\/var\/lib\/systemd\//, reason: "systemd's own stamps of timers and of randomness" },
  {
    path: /^\/var\/lib\/triad$/,
    reason: "the cold copy of what the server held: Triad never deletes a backup",
  },
  ...(isK3s
    ? [
        {
          path: /^\/var\/lib\/(rancher\/k3s\/agent|kubelet|cni)\//,
          reason: "the machine was an agent, and is one that runs",
        },
      ]
    : []),
];

/** Of the differences, those that no reason was given for. */
export function unlikeFound(differences: readonly string[]): string[] {
  return differences.filter((line) => {
    const path = line.slice(2).replace(/: .*/, "");
    return !exceptions.some((exception) => exception.path.test(path));
  });
}
