// The program that local commands run: node acts/main.ts <act> <create|update|delete>, its request as JSON on stdin.
// Progress goes to stderr; the one line on stdout is the answer that the stack remembers.
import { text } from "node:stream/consumers";
import { type Act, ActError, type Verb } from "./act.ts";
import { ScriptError } from "../ssh/runScript.ts";
import { SshError } from "../ssh/connection.ts";

const acts: Record<string, () => Promise<Act>> = {
  backup: async () => (await import("./backup.ts")).backup,
  checkpoints: async () => (await import("./checkpoint/checkpoints.ts")).checkpoints,
  coreDns: async () => (await import("./coreDns.ts")).coreDns,
  controlPlane: async () => (await import("./controlPlane.ts")).controlPlane,
  endpoint: async () => (await import("./endpoint.ts")).endpoint,
  kubeProxy: async () => (await import("./kubeProxy.ts")).kubeProxy,
  readiness: async () => (await import("./readiness.ts")).readiness,
  membership: async () => (await import("./membership.ts")).membership,
  verification: async () => (await import("./verification.ts")).verification,
  worker: async () => (await import("./worker.ts")).worker,
};

try {
  endWithParent();
  const [name = "", verb = ""] = process.argv.slice(2);
  const act = await acts[name]?.();
  if (act === undefined || !isVerb(verb)) {
    throw new Error(
      `usage: node acts/main.ts <${Object.keys(acts).join("|")}> <create|update|delete>`,
    );
  }
  const request: unknown = JSON.parse(await text(process.stdin));
  const previous: unknown = JSON.parse(process.env["PULUMI_COMMAND_STDOUT"] || "null");
  const answer = await act(request, { verb, previous, progress: (line) => console.error(line) });
  console.log(JSON.stringify(answer));
  process.exit(0);
} catch (error) {
  const expected =
    error instanceof ActError || error instanceof ScriptError || error instanceof SshError;
  console.error(expected ? `error: ${error.message}` : error);
  process.exit(1);
}

function isVerb(verb: string): verb is Verb {
  return verb === "create" || verb === "update" || verb === "delete";
}

/** A killed engine must not leave an act behind that goes on alone; what runs on a machine is found by its lock. */
function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, 500).unref();
}
