import type { V1Node } from "@kubernetes/client-node";
import type { EtcdMember } from "../../../acts/etcdMembers.ts";
import type { LiveCluster } from "../../../acts/liveCluster.ts";
import type { Machine } from "../../../acts/request.ts";
import type { CommandResult, SshConnection } from "../../../ssh/connection.ts";

/** Nobody answers SSH there. */
const ssh = { user: "root", port: 1 };

export function machineOf(name: string, address: string): Machine {
  return { name, nodeName: name, address, hostKey: "ssh-ed25519 AAAA", ssh };
}

export function memberOf(name: string, changes: Partial<EtcdMember> = {}): EtcdMember {
  const member = { id: name, name, peerAddress: name, role: "voter", leader: false } as const;
  return { ...member, healthy: true, ...changes };
}

/** Answers scripts by a phrase of their text and their verb: an object, or an error's text. */
export class ConnectionDouble implements SshConnection {
  readonly target: Machine;
  readonly answers: readonly (readonly [phrase: string, verb: string, answer: object | string])[];
  /** What was run: the verb and the script's text. */
  readonly ran: { readonly verb: string; readonly script: string }[] = [];

  constructor(target: Machine, answers: ConnectionDouble["answers"]) {
    this.target = target;
    this.answers = answers;
  }

  async run(command: string, script = ""): Promise<CommandResult> {
    const verb = command.split(" ").at(-1) ?? "";
    this.ran.push({ verb, script });
    const found = this.answers.find(([phrase, of]) => of === verb && script.includes(phrase));
    if (found === undefined) throw new Error(`nobody expected ${verb} of ${script.slice(0, 900)}`);
    const [, , answer] = found;
    return typeof answer === "string"
      ? { exitCode: 1, stdout: "", stderr: answer }
      : { exitCode: 0, stdout: `${JSON.stringify(answer)}\n`, stderr: "" };
  }

  async download(): Promise<void> {
    throw new Error("nothing is downloaded");
  }

  close(): void {
    // Nothing is open.
  }
}

interface World {
  readonly connection: SshConnection;
  readonly peers?: readonly Machine[];
  readonly nodes?: Map<string, V1Node>;
  readonly members?: EtcdMember[];
  /** Secrets that were deleted, as `namespace/name`. */
  readonly forgotten?: string[];
}

/** The part of a living cluster that k3s's acts touch. Removed members are gone from `members`. */
export function clusterOf({
  connection,
  peers = [],
  nodes = new Map(),
  members = [],
  forgotten = [],
}: World): LiveCluster {
  const cluster = {
    access: { distribution: "k3s", identity: { agent: false }, peers },
    server: machineOf("thinkpad", "192.168.1.5"),
    connection,
    distribution: {
      members: async () => members,
      removeMember: async (_cluster: unknown, { id }: EtcdMember) => {
        members.splice(
          members.findIndex((member) => member.id === id),
          1,
        );
      },
    },
    core: {
      deleteNamespacedSecret: async ({ namespace, name }: Record<string, string>) => {
        forgotten.push(`${namespace}/${name}`);
      },
      listNode: async () => ({ items: [...nodes.values()] }),
      readNode: async ({ name }: { name: string }) => nodes.get(name),
      patchNode: async ({ name, body }: { name: string; body: V1Node }) => {
        const node = nodes.get(name);
        nodes.set(name, {
          ...node,
          spec: { ...node?.spec, ...body.spec },
          metadata: {
            ...node?.metadata,
            annotations: merged(node?.metadata?.annotations, body.metadata?.annotations),
          },
        });
      },
    },
  };
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest is not used
  return cluster as unknown as LiveCluster;
}

type Annotations = Record<string, string | null> | undefined;

function merged(before: Annotations, patch: Annotations): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ...before, ...patch }).flatMap(([key, value]) =>
      value === null ? [] : [[key, value]],
    ),
  );
}
