import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { operatorEnvironment } from "../operatorEnvironment.ts";
import { projectFolder } from "../paths.ts";
import type { Topology } from "../topology.ts";
import { changeOf } from "./changes.ts";
import { inside } from "./inside.ts";
import { inSeconds } from "./phases.ts";
import { outFolder } from "./pulumi.ts";
import { engineEventSchema, StepRecorder } from "./steps.ts";
import type { EngineEvent, Step } from "./steps.ts";

/** What came of a command that changes the stack. */
export interface PulumiRun {
  readonly exitCode: number;
  /** The first is the whole of it, by the run's name; the others are its resources. */
  readonly steps: readonly Step[];
  /** What it did to which resource, as `create Server hp`, in alphabetical order; what stays as it is left out. */
  readonly changes: readonly string[];
  /** All that it said, a line each, as its log has it. */
  readonly output: string;
  readonly errors: string;
}

/** It asks nobody, and every event is a line of its own, in the moment in which it happens. */
const unattended = "--yes --skip-preview --json --non-interactive";

/**
 * Runs `pulumi up` or `pulumi destroy` in the project folder and times it. What it says goes to out/lab/NAME.log.
 * @param command as an operator types it into a shell
 * @param tell hears of each step as it ends
 */
export async function runPulumi(
  topology: Topology,
  name: string,
  command: string,
  tell: (line: string) => void = () => undefined,
): Promise<PulumiRun> {
  mkdirSync(outFolder, { recursive: true });
  const log = createWriteStream(join(outFolder, `${name}.log`));
  const said: string[] = [];
  const errors: string[] = [];
  const changes = new Set<string>();
  const recorder = new StepRecorder();
  const startMs = Date.now();
  const [file = "", ...args] = inside(topology, ["sh", "-c", `${command} ${unattended}`]);
  const running = execa(file, args, {
    cwd: projectFolder,
    env: await operatorEnvironment(topology),
    stdin: "ignore",
    reject: false,
    all: true,
    buffer: false,
  });
  for await (const line of running.iterable({ from: "all" })) {
    const event = parseEvent(line);
    const ended = event && recorder.take(event, Date.now());
    if (ended) tell(`${ended.name}  ${inSeconds(ended.endMs - ended.startMs)}`);
    const change = event && changeOf(event);
    if (change !== undefined) changes.add(change);
    const text = event ? describe(event) : line;
    if (text) {
      said.push(text);
      log.write(`${new Date().toISOString()} ${text}\n`);
    }
    if (event?.diagnosticEvent?.severity === "error") errors.push(text);
    if (!event && line.startsWith("error:")) errors.push(line);
  }
  log.end();
  const { exitCode } = await running;
  return {
    exitCode: exitCode ?? 255,
    steps: [{ name, startMs, endMs: Date.now() }, ...recorder.steps],
    changes: [...changes].sort(),
    output: said.join("\n"),
    errors: errors.join("\n").trim(),
  };
}

function parseEvent(line: string): EngineEvent | undefined {
  if (!line.startsWith('{"')) return undefined;
  try {
    return engineEventSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** One line for the log, without the marks by which the engine colours its text. */
function describe(event: EngineEvent): string {
  const begins = event.resourcePreEvent?.metadata;
  const ends = event.resOutputsEvent?.metadata;
  const fails = event.resOpFailedEvent?.metadata;
  if (begins && begins.op !== "same") return `${begins.op} begins: ${begins.urn}`;
  if (ends && ends.op !== "same") return `${ends.op} done: ${ends.urn}`;
  if (fails) return `${fails.op} failed: ${fails.urn}`;
  const said = event.diagnosticEvent;
  // What the engine tells its own developers would hide what it tells its users.
  if (said?.severity === "debug") return "";
  return said ? `${said.severity}: ${said.message.replaceAll(/<\{%.*?%\}>/g, "").trimEnd()}` : "";
}
