import { type Document, parse } from "yaml";
import * as z from "zod";
import { auditPolicyPath } from "../../plan/serverFlags.ts";
import { editYaml } from "./editYaml.ts";
import type { Flags } from "../request.ts";

const argument = z.object({ name: z.string(), value: z.string() });
const volume = z.looseObject({ name: z.string() });
const auditVolumes = [
  {
    name: "audit-policy",
    hostPath: auditPolicyPath,
    mountPath: auditPolicyPath,
    readOnly: true,
    pathType: "File",
  },
  {
    name: "audit-log",
    hostPath: "/var/log/kubernetes",
    mountPath: "/var/log/kubernetes",
    pathType: "DirectoryOrCreate",
  },
];

const found = z.looseObject({
  apiServer: z
    .looseObject({
      extraArgs: z.array(argument).optional(),
      extraVolumes: z.array(volume).optional(),
    })
    .optional(),
  etcd: z
    .looseObject({ local: z.looseObject({ extraArgs: z.array(argument).optional() }).optional() })
    .optional(),
});

/**
 * The same ClusterConfiguration with the flags asked for. Flags that it had before stay, but for those that an earlier
 * run of Triad put there and that are no longer asked for.
 *
 * @param earlier what was asked for then
 */
export function withFlags(clusterConfiguration: string, flags: Flags, earlier?: Flags): string {
  const { apiServer, etcd } = found.parse(parse(clusterConfiguration));
  const apiServerArgs = merge(apiServer?.extraArgs, flags.apiServer, earlier?.apiServer);
  const etcdArgs = merge(etcd?.local?.extraArgs, flags.etcd, earlier?.etcd);
  const volumes = [
    ...(apiServer?.extraVolumes ?? []).filter(
      ({ name }) => !auditVolumes.some((own) => own.name === name),
    ),
    ...(flags.audit ? auditVolumes : []),
  ];
  return editYaml(clusterConfiguration, (document) => {
    setList(document, ["apiServer", "extraArgs"], apiServerArgs);
    setList(document, ["apiServer", "extraVolumes"], volumes);
    setList(document, ["etcd", "local", "extraArgs"], etcdArgs);
  });
}

function setList(
  document: Document.Parsed,
  path: readonly string[],
  list: readonly object[],
): void {
  if (list.length > 0) document.setIn(path, document.createNode(list));
  else if (document.hasIn(path)) document.deleteIn(path);
}

type Argument = z.infer<typeof argument>;

function merge(
  present: readonly Argument[] = [],
  wanted: Readonly<Record<string, string>>,
  earlier: Readonly<Record<string, string>> = {},
): Argument[] {
  const kept = present.filter(({ name }) => !(name in wanted) && !(name in earlier));
  const asked = Object.entries(wanted).map(([name, value]) => ({ name, value }));
  // In their old places where the values are the same, so that nothing looks changed that is not.
  const all = [...kept, ...asked];
  const order = (name: string): number => {
    const index = present.findIndex((one) => one.name === name);
    return index === -1 ? present.length : index;
  };
  return all.sort((one, other) => order(one.name) - order(other.name));
}
