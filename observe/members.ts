import * as z from "zod";
import { type EtcdMember, parseEtcdMembers } from "../acts/etcdMembers.ts";
import type { MachineConfig } from "../config/clusterConfig.ts";
import type { EtcdAnswer } from "./observation.ts";

const members = z.object({
  members: z.array(
    z.object({
      peerURLs: z.array(z.string()).default([]),
      clientURLs: z.array(z.string()).default([]),
    }),
  ),
});

/**
 * Puts together what servers said of their etcd: the list of one, which was asked linearizably and so is no minority's
 * memory, and each one's own status.
 *
 * @returns no members where a server has SQLite still; undefined where no server could be asked
 */
export function membersOf(answers: readonly EtcdAnswer[]): EtcdMember[] | undefined {
  const list = listOf(answers);
  if (list !== undefined) return parseEtcdMembers({ list, status: statusOf(answers) });
  return answers.some(({ datastore }) => datastore === "sqlite") ? [] : undefined;
}

/** Of the machines given, those with a member whose status nobody has told. */
export function notAsked<Machine extends MachineConfig>(
  answers: readonly EtcdAnswer[],
  machines: readonly Machine[],
): Machine[] {
  const list = members.safeParse(listOf(answers));
  if (!list.success) return [];
  const status = statusOf(answers);
  const hosts = list.data.members
    .filter(({ clientURLs }) => !clientURLs.some((url) => url in status))
    .flatMap(({ peerURLs }) => peerURLs.map((url) => new URL(url).hostname));
  return machines.filter(({ address }) => hosts.includes(address));
}

function listOf(answers: readonly EtcdAnswer[]): unknown {
  return answers.find(({ list }) => list !== undefined && list !== null)?.list;
}

/** Who answered counts more than who could not be reached by another. */
function statusOf(answers: readonly EtcdAnswer[]): Record<string, unknown> {
  const entries = answers.flatMap(({ status }) => Object.entries(status));
  return Object.fromEntries([
    ...entries.filter(([, own]) => own === null),
    ...entries.filter(([, own]) => own !== null),
  ]);
}
