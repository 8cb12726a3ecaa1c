import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { diskOf } from "../machines/mounts.ts";
import type { Topology } from "../topology.ts";
import { members, type Members } from "./members.ts";
import { isOnDisk, machineAs, onDisk, type Part, type Scene } from "./scene.ts";

/** A moment of a run, which is recognised by what can be seen from outside. */
export interface Moment {
  /** When it is, to be read after the step's name; empty where the step as such begins. */
  readonly what: string;
  /** Makes the moment last long enough, before the run begins. */
  readonly prepare?: (topology: Topology) => void;
  /** Given the run at its start, tells how to see whether the moment has come. */
  readonly watch: (scene: Scene) => () => boolean | Promise<boolean>;
}

/** The step of a machine begins. */
export function begins(part: Part, step: string): Moment {
  return {
    what: "",
    watch: ({ topology, run }) => {
      const name = `${machineAs(topology, part).name}-${step}`;
      return () => run.hasBegun(name);
    },
  };
}

/** A step of the cluster begins. */
export function clusterBegins(step: string): Moment {
  return {
    what: "",
    watch:
      ({ run }) =>
      () =>
        run.hasBegun(`homelab-${step}`),
  };
}

/** One of its commands tells this. */
export function says(what: string, pattern: RegExp): Moment {
  return {
    what,
    watch:
      ({ run }) =>
      () =>
        run.hasSaid(pattern),
  };
}

/** A file or folder comes to be on a machine that did not have it. */
export function appears(what: string, part: Part, path: string): Moment {
  return {
    what,
    watch: ({ topology }) => {
      const machine = machineAs(topology, part);
      return () => isOnDisk(machine, path);
    },
  };
}

/** A file on a machine gets another content. */
export function changes(what: string, part: Part, path: string): Moment {
  return {
    what,
    watch: ({ topology }) => {
      const machine = machineAs(topology, part);
      const before = onDisk(machine, path);
      return () => onDisk(machine, path) !== before;
    },
  };
}

/** A file on a machine says this. */
export function reads(what: string, part: Part, path: string, text: string): Moment {
  return {
    what,
    watch: ({ topology }) => {
      const machine = machineAs(topology, part);
      return () => onDisk(machine, path).trim() === text;
    },
  };
}

/** A machine is a learner of etcd. */
export function learns(part: Part): Moment {
  return sees("while it learns", part, ({ learners }, name) => learners.includes(name));
}

/** A machine has just become a voter of etcd; the rest of its server is still to start. */
export function votes(part: Part): Moment {
  return sees("when it has a vote", part, ({ voters }, name) => voters.includes(name));
}

/** A machine is no member of etcd any more. */
export function isRemoved(part: Part): Moment {
  return sees(
    "when its member is removed",
    part,
    ({ voters, learners }, name) => ![...voters, ...learners].includes(name),
  );
}

/** Asking costs the servers something, so it is done less often than looking at disks, ms. */
const askEveryMs = 50;

/** etcd's member list says this of a machine. */
function sees(what: string, part: Part, isSo: (seen: Members, machine: string) => boolean): Moment {
  return {
    what,
    watch: ({ topology }) => {
      const { name } = machineAs(topology, part);
      return async () => {
        const seen = await members(topology);
        if (seen !== undefined && isSo(seen, name)) return true;
        await sleep(askEveryMs);
        return false;
      };
    },
  };
}

/** How long the double of k3s takes over each key that it copies, ms: else a young cluster is copied in no time. */
const copyDelayMs = 20;

/** Gives a conversion the time that it takes with many keys. */
export function slowly(moment: Moment): Moment {
  return {
    ...moment,
    prepare: (topology) => {
      const { root } = diskOf(machineAs(topology, "first").name);
      const file = join(root, "etc/systemd/system/k3s.service.env");
      appendFileSync(file, `TRIAD_DOUBLE_MIGRATION_DELAY_MS=${String(copyDelayMs)}\n`);
    },
  };
}
