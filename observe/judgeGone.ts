import type { MachineConfig } from "../config/clusterConfig.ts";
import type { Judgement } from "./judge.ts";
import type { MachineFacts, Observation } from "./observation.ts";

const etcdPorts = [2379, 2380];
const apiServerPort = 6443;

/** A machine that is said to be gone: nobody asks it for anything, but it must not be one that lives. */
export function judgeGone({ name }: MachineConfig, seen: Observation): Judgement {
  if (seen.state === "silent") return { faults: [], warnings: [] };
  const said = `${name}: it is said to be gone`;
  if (seen.state === "refused") {
    return {
      faults: [],
      warnings: [
        `${said}, yet something is there (${seen.reason}); if it is the successor, give its hostKey and take machines.${name}.gone away`,
      ],
    };
  }
  if (runsServer(seen.facts)) {
    return {
      faults: [
        `${said}, but it answers and runs a server; power it off, or take machines.${name}.gone away: then it is a server like any other, and leaves when it is off the list`,
      ],
      warnings: [],
    };
  }
  return {
    faults: [],
    warnings: [
      `${said}, but it answers, and runs no server; if it is to be used again take machines.${name}.gone away, else power it off`,
    ],
  };
}

/** By what listens: files alone, as a dead server's disk has them, serve nobody. */
function runsServer({ k3s, listeners }: MachineFacts): boolean {
  const isOpen = (port: number): boolean => listeners.some((listener) => listener.port === port);
  return etcdPorts.some(isOpen) || (k3s.role === "server" && isOpen(apiServerPort));
}
