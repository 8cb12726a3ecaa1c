import { becomes } from "./rules/becomes.ts";
import { checkpoints } from "./rules/checkpoints.ts";
import { cidrs } from "./rules/cidrs.ts";
import { distribution } from "./rules/distribution.ts";
import { dns } from "./rules/dns.ts";
import { endpoint } from "./rules/endpoint.ts";
import { externalEndpoint } from "./rules/externalEndpoint.ts";
import { files } from "./rules/files.ts";
import { flags } from "./rules/flags.ts";
import { gone } from "./rules/gone.ts";
import { hostKeys } from "./rules/hostKeys.ts";
import { k3s } from "./rules/k3s.ts";
import { machines } from "./rules/machines.ts";
import { pause } from "./rules/pause.ts";
import { proxmox } from "./rules/proxmox.ts";
import { roles } from "./rules/roles.ts";
import type { Rule } from "./rules/rule.ts";
import { version } from "./rules/version.ts";
import { vms } from "./rules/vms.ts";
import { wipe } from "./rules/wipe.ts";

/** The rules between keys, in the order in which their faults are shown. */
export const rules: readonly Rule[] = [
  distribution,
  version,
  machines,
  hostKeys,
  roles,
  pause,
  gone,
  becomes,
  endpoint,
  externalEndpoint,
  cidrs,
  dns,
  files,
  flags,
  k3s,
  proxmox,
  vms,
  checkpoints,
  wipe,
];
