import { execa } from "execa";

/** What a command printed and how it ended. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** How a command is started. */
export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Hands the terminal or pipe of this process to the command instead of collecting its output. */
  readonly inherit?: boolean;
  /** Milliseconds after which the command is killed. Without it, it may take as long as it likes. */
  readonly timeoutMs?: number;
}

/** Runs a command of this computer and reports how it ended; a failure is a result, not an error. */
export async function run(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [file, ...rest] = argv;
  if (file === undefined) throw new Error("no command to run was given");
  const stdin =
    options.input !== undefined
      ? { input: options.input }
      : { stdin: options.inherit === true ? ("inherit" as const) : ("ignore" as const) };
  const output = options.inherit === true ? ("inherit" as const) : ("pipe" as const);
  const result = await execa(file, rest, {
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 256 * 1024 * 1024,
    stdout: output,
    stderr: output,
    ...stdin,
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.timeoutMs === undefined
      ? {}
      : { timeout: options.timeoutMs, killSignal: "SIGKILL" as const }),
  });
  const failure = result.exitCode === undefined ? `${result.shortMessage ?? "killed"}\n` : "";
  return {
    stdout: typeof result.stdout === "string" ? result.stdout : "",
    stderr: (typeof result.stderr === "string" ? result.stderr : "") + failure,
    exitCode: result.exitCode ?? 255,
  };
}

/**
 * Runs a command that has to succeed, and gives its standard output.
 * @throws Error with the command and what it said when it fails.
 */
export async function must(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { stdout, stderr, exitCode } = await run(argv, options);
  if (exitCode === 0) return stdout;
  const said = stderr.trim() || stdout.trim();
  throw new Error(`\`${argv.join(" ")}\` ended with ${String(exitCode)}: ${said}`);
}
