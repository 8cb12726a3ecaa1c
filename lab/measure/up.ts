import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { projectFolder } from "../paths.ts";
import type { Topology } from "../topology.ts";
import { inside } from "./inside.ts";
import { operatorEnvironment } from "../operatorEnvironment.ts";
import { inSeconds } from "./phases.ts";
import { outFolder } from "./pulumi.ts";
import { engineEventSchema, StepRecorder } from "./steps.ts";
import type { EngineEvent, Step } from "./steps.ts";

/**
 * Runs `pulumi up` and times it: the first step is the whole of it, called `name`; the others are its resources.
 * What it says goes to out/lab/NAME.log; `tell` hears of each step as it ends.
 * @throws with Pulumi's errors when it fails
 */
export async function up(
  topology: Topology,
  name: string,
  tell: (line: string) => void,
): Promise<Step[]> {
  mkdirSync(outFolder, { recursive: true });
  const file = join(outFolder, `${name}.log`);
  const log = createWriteStream(file);
  const errors: string[] = [];
  const recorder = new StepRecorder();
  const startMs = Date.now();
  // With --json every event is a line of its own, in the moment in which it happens.
  const options = ["--yes", "--skip-preview", "--json", "--non-interactive"];
  const [command = "", ...args] = inside(topology, ["pulumi", "up", ...options]);
  const running = execa(command, args, {
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
    const text = event ? describe(event) : line;
    if (text) log.write(`${new Date().toISOString()} ${text}\n`);
    if (event?.diagnosticEvent?.severity === "error") errors.push(text);
    if (!event && line.startsWith("error:")) errors.push(line);
  }
  log.end();
  const { exitCode } = await running;
  if (exitCode !== 0) {
    const said = errors.join("\n").trim() || `it ended with ${String(exitCode)}`;
    throw new Error(`pulumi up (${name}) failed:\n${said}\nAll it said: ${file}`);
  }
  return [{ name, startMs, endMs: Date.now() }, ...recorder.steps];
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
