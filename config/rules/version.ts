import type { Fault } from "../configError.ts";
import type { ConfigDraft } from "../salvage.ts";
import { untilPause } from "../untilPause.ts";
import { cureOfConversion } from "../values/k3sDefects.ts";
import { judgeVersionOf } from "../values/version.ts";

/** The version: one of the distribution's, and able to do what the list asks for. */
export function version(draft: ConfigDraft): Fault[] {
  const { distribution, version: value } = draft;
  if (distribution === undefined || value === undefined) return [];
  const complaint = judgeVersionOf(distribution, value);
  if (complaint !== undefined) return [{ path: "version", ...complaint }];
  const count = untilPause(draft.servers ?? [], draft.pauseAfter).length;
  return distribution === "k3s" && count > 1 ? conversion(value) : [];
}

function conversion(value: string): Fault[] {
  const release = cureOfConversion(value);
  if (release === undefined) return [];
  return [
    {
      path: "version",
      problem: `k3s ${value} loses the data when it converts SQLite to etcd (k3s issue 12478)`,
      cure: `upgrade the server to ${release} first and say so here, or list one server`,
    },
  ];
}
