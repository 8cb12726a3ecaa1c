import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { composeScript } from "../../../scripts/composeScript.ts";

export interface Run {
  readonly exitCode: number | null;
  /** The last line of stdout as JSON; undefined when the script failed. */
  readonly result: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  /** The folder that stands for / */
  readonly root: string;
  /** Folders put first on PATH. */
  readonly path?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What runs bash, such as `unshare --net`. */
  readonly wrapper?: readonly string[];
}

/** Gives `input` to `bash -s -- <verb>`, as a machine would get it. */
export async function runBash(input: string | Buffer, verb: string, place: Place): Promise<Run> {
  const child = spawn("env", [...(place.wrapper ?? []), "bash", "-s", "--", verb], {
    env: {
      PATH: [...(place.path ?? []), "/usr/sbin:/usr/bin:/sbin:/bin"].join(":"),
      HOME: place.root,
      TRIAD_ROOT: place.root,
      ...place.environment,
    },
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [stdout, stderr, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    }),
  ]);
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const result: unknown = last.startsWith("{") ? JSON.parse(last) : undefined;
  return { exitCode, result, stdout, stderr };
}

/** Composes a script of scripts/ and runs it. */
export async function runScript(
  script: string,
  verb: string,
  variables: Readonly<Record<string, string>>,
  place: Place,
): Promise<Run> {
  return await runBash(composeScript(script, variables), verb, place);
}
