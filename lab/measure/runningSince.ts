import { exec } from "../machines/machine.ts";
import type { Topology } from "../topology.ts";

/**
 * Who runs on every machine now, and since when: one line a service (`systemd` gives each start an identity of its
 * own) and one a container. Sessions of people are left out. What reloads stays the same, what restarts does not.
 */
export async function runningSince(topology: Topology): Promise<string[]> {
  const ctr = `ctr --address ${topology.distribution.containerd.socket} --namespace k8s.io`;
  const collect = [
    "systemctl list-units --type=service --state=running --plain --no-legend | cut -d' ' -f1 |",
    "grep -Ev '^(user@|session-|run-|ssh@|systemd-hostnamed|systemd-timedated)' |",
    "xargs --no-run-if-empty systemctl show --property=Id,InvocationID --value |",
    "paste -d' ' - - - ;",
    `${ctr} tasks list 2>/dev/null | awk '$3 == "RUNNING" {print "container", $1, $2}'`,
  ].join("\n");
  const machines = topology.machines.map(async ({ name }) => {
    const { stdout } = await exec(name, ["sh", "-c", collect]);
    const lines = stdout.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line) => `${name}: ${line.trim()}`).sort();
  });
  return (await Promise.all(machines)).flat();
}

/** Of those who ran before, those who do not any more, or run anew; machines named in `but` are not looked at. */
export function endedSince(
  before: readonly string[],
  now: readonly string[],
  but: readonly string[] = [],
): string[] {
  return before.filter(
    (line) => !now.includes(line) && !but.some((machine) => line.startsWith(`${machine}: `)),
  );
}
