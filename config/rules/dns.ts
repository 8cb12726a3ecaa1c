import type { Fault } from "../configError.ts";
import type { ConfigDraft } from "../salvage.ts";

/** The DNS record: in its zone, and signed. */
export function dns(draft: ConfigDraft): Fault[] {
  return [...inZone(draft), ...signed(draft)];
}

function inZone(draft: ConfigDraft): Fault[] {
  const name = draft.endpoint?.name;
  const zone = draft.dns?.zone;
  if (zone === undefined || draft.endpoint === undefined) return [];
  const path = "endpoint.name";
  if (name === undefined) {
    const problem = "is missing, and dns would not know what to write";
    return [{ path, problem, cure: `give a name in dns.zone, for instance k8s-apiserver.${zone}` }];
  }
  if (name.endsWith(`.${zone}`)) return [];
  const [label] = name.split(".");
  return [
    {
      path,
      problem: name === zone ? `"${name}" is the zone itself` : `"${name}" is not in ${zone}`,
      cure: `give a name in dns.zone, for instance ${name === zone ? "k8s-apiserver" : label}.${zone}`,
    },
  ];
}

function signed(draft: ConfigDraft): Fault[] {
  const isDnsGiven = draft.dns !== undefined;
  const isSecretGiven = draft.dnsTsigSecret !== undefined;
  if (isDnsGiven && !isSecretGiven) {
    return [
      {
        path: "dnsTsigSecret",
        problem: "is missing, and dns takes signed updates only",
        cure: "set it by `pulumi config set --secret triad:dnsTsigSecret`",
      },
    ];
  }
  if (isSecretGiven && !isDnsGiven) {
    return [
      {
        path: "dns",
        problem: "is missing, while dnsTsigSecret is given",
        cure: "describe the DNS server, or remove the secret",
      },
    ];
  }
  return [];
}
