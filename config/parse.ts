import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import type { ClusterConfig, MachineConfig, SshLogin } from "./clusterConfig.ts";
import { ConfigError, type Fault } from "./configError.ts";
import { deepFreeze } from "./deepFreeze.ts";
import { endpointPortOf, networks } from "./defaults.ts";
import { issueFaults } from "./issueFaults.ts";
import { rules } from "./rules.ts";
import type { World } from "./rules/rule.ts";
import { salvage } from "./salvage.ts";
import { k3s as k3sSchema } from "./schema/k3s.ts";
import { schema, secretKeys, type ParsedConfig } from "./schema.ts";
import { untilPause } from "./untilPause.ts";
import { completeProxmox, completeVm } from "./vm.ts";

type Raw = Readonly<Record<string, unknown>>;

/** The files of this computer, and no secret. */
export const onDisk: World = {
  fileExists: (path) => existsSync(resolve(path.replace(/^~(?=\/)/, homedir()))),
};

/**
 * Turns the keys of a stack's config, without their namespace, into a frozen config. A secret is
 * given as `{secure: text}`, as in the stack's file; the text is neither looked at nor kept. A key
 * without a value counts as left out.
 *
 * @throws ConfigError with every fault
 */
export function parseConfig(raw: Raw, world: World = onDisk): ClusterConfig {
  const given = withoutEmpty(raw);
  const misplaced = misplacedSecrets(given);
  const readable = withSecretsHidden(given);
  const parsed = schema.safeParse(readable);
  const malformed = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => issueFaults(issue, readable));
  const draft = salvage(readable);
  const faults = firstOfEachPath([
    misplaced,
    malformed,
    rules.flatMap((rule) => rule(draft, world)),
  ]);
  if (faults.length > 0 || !parsed.success) throw new ConfigError(faults);
  return deepFreeze(complete(parsed.data));
}

/** The project declares optional keys with empty defaults; these and bare keys say nothing. */
function withoutEmpty(raw: Raw): Raw {
  return Object.fromEntries(Object.entries(raw).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  return typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** A secret in the clear, and the reverse: what is not a secret here would lose its protection. */
function misplacedSecrets(given: Raw): Fault[] {
  return Object.entries(given).flatMap(([key, value]) => {
    if (secretKeys.includes(key) === isEncrypted(value)) return [];
    if (!Object.hasOwn(schema.shape, key)) return [];
    return secretKeys.includes(key)
      ? [
          {
            path: key,
            problem: "is in the clear",
            cure: `set it by \`pulumi config set --secret triad:${key}\``,
          },
        ]
      : [
          {
            path: key,
            problem: "is encrypted, but would not stay secret on its way to the machines",
            cure: `set it without --secret; secret can be ${secretKeys.join(", ")} only`,
          },
        ];
  });
}

/** Hides secrets, so that no fault can repeat one. */
function withSecretsHidden(given: Raw): Raw {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [
      key,
      secretKeys.includes(key) || isEncrypted(value) ? { secure: "" } : value,
    ]),
  );
}

function isEncrypted(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).join() === "secure" &&
    typeof Reflect.get(value, "secure") === "string"
  );
}

/** Of several kinds of faults, a later kind says nothing about what an earlier one is about. */
function firstOfEachPath(kinds: readonly (readonly Fault[])[]): Fault[] {
  const faults: Fault[] = [];
  for (const kind of kinds) {
    const known = faults.map(({ path }) => path);
    faults.push(...kind.filter(({ path }) => !known.some((other) => isWithin(path, other))));
  }
  return faults;
}

function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`);
}

function complete(parsed: ParsedConfig): ClusterConfig {
  const { distribution, k3s, machines, proxmox, ssh } = parsed;
  const { external, ...endpoint } = parsed.endpoint;
  const login = { user: ssh.user, port: ssh.port };
  return {
    ...networks[distribution],
    ...withoutGuards(parsed),
    ...(distribution === "k3s" ? { k3s: k3s ?? k3sSchema.parse({}) } : {}),
    initialServer: initialServerOf(parsed),
    endpoint: {
      ...endpoint,
      name: endpoint.name ?? endpoint.address,
      port: endpointPortOf(parsed),
      virtualRouterId: endpoint.virtualRouterId ?? defaultRouterId(endpoint.address),
      // Left out where it is not so: what acts are told of other endpoints stays as it was.
      ...(external === true ? { external } : {}),
    },
    machines: Object.fromEntries(
      Object.entries(machines).map(([name, machine]): [string, MachineConfig] => [
        name,
        completeMachine(name, machine, parsed, login),
      ]),
    ),
    ...(proxmox === undefined ? {} : { proxmox: completeProxmox(proxmox, endpoint) }),
  };
}

function completeMachine(
  name: string,
  { proxmox, hostKey = "", ...machine }: ParsedConfig["machines"][string],
  parsed: ParsedConfig,
  login: SshLogin,
): MachineConfig {
  return {
    ...machine,
    hostKey,
    name,
    nodeName: machine.nodeName ?? name,
    ssh: { ...login, ...machine.ssh },
    ...(proxmox === undefined ? {} : { vm: completeVm(proxmox, parsed) }),
  };
}

/** What is for the config alone: the secrets, the word that has let a wipe pass, and what is not complete yet. */
function withoutGuards({
  dnsTsigSecret: _secret,
  proxmoxToken: _token,
  hostKeySeed: _seed,
  wipe: _word,
  proxmox: _proxmox,
  ...open
}: ParsedConfig): Omit<
  ParsedConfig,
  "dnsTsigSecret" | "hostKeySeed" | "proxmox" | "proxmoxToken" | "wipe"
> {
  return open;
}

/** One that is gone has its data no more: the first that lives takes its place. */
function initialServerOf({ initialServer, machines, pauseAfter, servers }: ParsedConfig): string {
  const living = untilPause(servers, pauseAfter).filter((name) => machines[name]?.gone !== true);
  const [first = ""] = living;
  return initialServer !== undefined && living.includes(initialServer) ? initialServer : first;
}

/** VRRP has no router 0. */
function defaultRouterId(address: string): number {
  return Number(address.split(".").at(-1)) || 1;
}
