import { isAbsolute, normalize } from "node:path";
import type { Fault } from "../configError.ts";
import type { ConfigDraft } from "../salvage.ts";
import type { World } from "./rule.ts";

/** Files on the computer that runs Pulumi: there, and where they may be. */
export function files(draft: ConfigDraft, world: World): Fault[] {
  return [...login(draft, world), ...auditPolicy(draft, world), ...backups(draft)];
}

function login({ ssh }: ConfigDraft, { fileExists }: World): Fault[] {
  if (ssh === undefined) return [];
  const { privateKeyFile, agent } = ssh;
  if (privateKeyFile === undefined) {
    if (agent !== false) return [];
    return [
      {
        path: "ssh",
        problem: "has neither a private key nor the agent",
        cure: "give privateKeyFile, or agent: true",
      },
    ];
  }
  if (fileExists(privateKeyFile)) return [];
  return [
    {
      path: "ssh.privateKeyFile",
      problem: `there is no file ${privateKeyFile}`,
      cure: "give the path of a private key, or agent: true instead",
    },
  ];
}

function auditPolicy({ apiServer }: ConfigDraft, { fileExists }: World): Fault[] {
  const file = apiServer?.auditPolicyFile;
  if (file === undefined) return [];
  const path = "apiServer.auditPolicyFile";
  if (isOutside(file)) {
    return [
      {
        path,
        problem: `${file} is outside the project`,
        cure: "keep it with the config and give its path from there",
      },
    ];
  }
  if (fileExists(file)) return [];
  return [
    {
      path,
      problem: `there is no file ${file} in the project`,
      cure: "write it, or correct the path",
    },
  ];
}

function backups({ backup }: ConfigDraft): Fault[] {
  const directory = backup?.directory;
  if (directory === undefined || !directory.startsWith("~")) return [];
  return [
    {
      path: "backup.directory",
      problem: `${directory} begins with ~, which only shells know`,
      cure: "give a path from the project, or from the root",
    },
  ];
}

function isOutside(file: string): boolean {
  return isAbsolute(file) || file.startsWith("~") || /^\.\.(\/|$)/.test(normalize(file));
}
