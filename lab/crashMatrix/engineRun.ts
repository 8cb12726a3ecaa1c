import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { inside } from "../measure/inside.ts";
import { engineEventSchema, type EngineEvent } from "../measure/steps.ts";
import { operatorEnvironment } from "../operatorEnvironment.ts";
import { projectFolder } from "../paths.ts";
import type { Topology } from "../topology.ts";

/** What one can see of a run of Pulumi while it goes on. */
export interface RunSeen {
  /** Whether a resource of that name has begun to be created, updated or deleted. */
  hasBegun(name: string): boolean;
  /** Whether a line that its commands told matches. */
  hasSaid(pattern: RegExp): boolean;
}

/** One run of Pulumi, as the operator starts it, that can be watched and killed. */
export class EngineRun implements RunSeen {
  /** Its exit status; undefined when it was killed. */
  readonly ended: Promise<number | undefined>;
  readonly #child: ChildProcess;
  readonly #begun = new Set<string>();
  readonly #said: string[] = [];
  readonly #errors: string[] = [];

  private constructor(child: ChildProcess, logFile: string) {
    this.#child = child;
    mkdirSync(dirname(logFile), { recursive: true });
    const log = createWriteStream(logFile);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        const told = this.#take(line);
        if (told !== "") log.write(`${new Date().toISOString()} ${told}\n`);
      });
    }
    // What it has started may live on and hold its pipes open: only its own end counts.
    this.ended = new Promise((resolve) =>
      child.once("exit", (code) => setTimeout(() => resolve(code ?? undefined), 100)),
    );
  }

  /** Starts `pulumi ARGS` in the project folder; all that it says goes to `logFile`. */
  static async start(
    topology: Topology,
    args: readonly string[],
    logFile: string,
  ): Promise<EngineRun> {
    const argv = inside(topology, ["pulumi", ...args, "--json", "--non-interactive"]);
    const [command = "", ...rest] = argv;
    // ip becomes pulumi: the child is the engine itself.
    const child = spawn(command, rest, {
      cwd: projectFolder,
      env: { ...process.env, ...(await operatorEnvironment(topology)) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new EngineRun(child, logFile);
  }

  hasBegun(name: string): boolean {
    return this.#begun.has(name);
  }

  hasSaid(pattern: RegExp): boolean {
    return this.#said.some((line) => pattern.test(line));
  }

  /** What it gave as errors. */
  get errors(): string {
    return this.#errors.join("\n").trim();
  }

  /** Ends the engine as lack of memory would: what it has started is told nothing. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /**
   * Waits until it has ended, and gives its exit status.
   * @throws Error when it still runs after `limitMs`; it is killed then
   */
  async within(limitMs: number): Promise<number | undefined> {
    const timer = new AbortController();
    const hangs = sleep(limitMs, "hangs" as const, { signal: timer.signal }).catch(() => undefined);
    const ended = await Promise.race([this.ended, hangs]);
    timer.abort();
    if (ended !== "hangs") return ended;
    this.kill();
    throw new Error(`pulumi still ran after ${String(limitMs / 60_000)} min`);
  }

  /** Gives the line for the log. */
  #take(line: string): string {
    const event = parseEvent(line);
    if (event === undefined) {
      if (line.startsWith("error:")) this.#errors.push(line);
      return line;
    }
    const begins = event.resourcePreEvent?.metadata;
    const ends = (event.resOutputsEvent ?? event.resOpFailedEvent)?.metadata;
    if (begins !== undefined && begins.op !== "same") {
      this.#begun.add(begins.urn.split("::").at(-1) ?? begins.urn);
      return `${begins.op} begins: ${begins.urn}`;
    }
    if (ends !== undefined && ends.op !== "same") {
      return `${ends.op} ${event.resOpFailedEvent ? "failed" : "done"}: ${ends.urn}`;
    }
    const said = event.diagnosticEvent;
    if (said === undefined || said.severity === "debug") return "";
    const text = said.message.replaceAll(/<\{%.*?%\}>/g, "").trimEnd();
    this.#said.push(text);
    if (said.severity === "error") this.#errors.push(text);
    return `${said.severity}: ${text}`;
  }
}

function parseEvent(line: string): EngineEvent | undefined {
  if (!line.startsWith('{"')) return undefined;
  try {
    return engineEventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
