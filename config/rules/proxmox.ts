import type { Fault } from "../configError.ts";
import { isExternal } from "../defaults.ts";
import type { ConfigDraft } from "../salvage.ts";
import { leastSeedLength } from "../../seed/hostKey.ts";
import { contains, networkOf } from "../values/network.ts";
import { machinesOf, type World } from "./rule.ts";

/** Where machines are created: said if any is, with its secrets, and how to log in to what comes out. */
export function proxmox(draft: ConfigDraft, world: World): Fault[] {
  const isNeeded = machinesOf(draft).some(([, machine]) => machine.proxmox !== undefined);
  if (draft.proxmox === undefined) return isNeeded ? [missing] : idleSecrets(draft);
  return [...secrets(draft), ...weakSeed(draft, world), ...keys(draft), ...gateway(draft)];
}

const missing: Fault = {
  path: "proxmox",
  problem: "is missing, while a machine has proxmox",
  cure: "say where it is created: endpoint and gateway at least",
};

const howToSet = {
  proxmoxToken: "set it by `pulumi config set --secret triad:proxmoxToken`",
  hostKeySeed:
    'set it by `pulumi config set --secret triad:hostKeySeed "$(openssl rand -base64 48)"`',
};

const secretNames = ["proxmoxToken", "hostKeySeed"] as const;

function secrets(draft: ConfigDraft): Fault[] {
  return secretNames
    .filter((path) => draft[path] === undefined)
    .map((path) => ({ path, problem: "is missing, and proxmox needs it", cure: howToSet[path] }));
}

function idleSecrets(draft: ConfigDraft): Fault[] {
  const given = secretNames.filter((path) => draft[path] !== undefined);
  if (given.length === 0) return [];
  return [
    {
      path: "proxmox",
      problem: `is missing, while ${given.join(" and ")} ${given.length === 1 ? "is" : "are"} given`,
      cure: "say where machines are created, or remove what is given",
    },
  ];
}

function weakSeed({ hostKeySeed }: ConfigDraft, { seedLength }: World): Fault[] {
  if (hostKeySeed === undefined || seedLength === undefined || seedLength >= leastSeedLength) {
    return [];
  }
  return [
    {
      path: "hostKeySeed",
      problem: `has ${seedLength} characters, and could be guessed`,
      cure: howToSet.hostKeySeed,
    },
  ];
}

function keys({ proxmox, ssh }: ConfigDraft): Fault[] {
  const { authorizedKeys } = proxmox ?? {};
  const path = "proxmox.authorizedKeys";
  const cure = "give the public key of whoever runs Triad, type and base64";
  if (authorizedKeys?.length === 0) {
    return [{ path, problem: "names no key, so nobody could log in", cure }];
  }
  if (authorizedKeys !== undefined || ssh === undefined || ssh.privateKeyFile !== undefined) {
    return [];
  }
  const problem = "is missing, and without ssh.privateKeyFile nobody knows which key to let in";
  return [{ path, problem, cure }];
}

function gateway(draft: ConfigDraft): Fault[] {
  const { gateway: address, prefixLength = draft.endpoint?.prefixLength } = draft.proxmox ?? {};
  if (address === undefined || prefixLength === undefined) return [];
  const path = "proxmox.gateway";
  const subnet = networkOf(address, prefixLength);
  const [holder] =
    machinesOf(draft).find(([, machine]) => machine.address === address) ??
    // A router that balances is both.
    (address === draft.endpoint?.address && !isExternal(draft) ? ["the endpoint"] : []);
  if (holder !== undefined) {
    const cure = "give the router's address on the machines' subnet";
    return [{ path, problem: `${address} is the address of ${holder}`, cure }];
  }
  return machinesOf(draft).flatMap(([name, machine]) => {
    if (machine.proxmox === undefined || machine.address === undefined) return [];
    if (contains(subnet, machine.address)) return [];
    return [
      {
        path: `machines.${name}.address`,
        problem: `${machine.address} is outside ${subnet}, the subnet of proxmox.gateway`,
        cure: "give an address in that subnet, or another proxmox.gateway or prefixLength",
      },
    ];
  });
}
