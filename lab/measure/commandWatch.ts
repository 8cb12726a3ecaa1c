import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Short-lived commands are seen by chance; those that wait for something are not missed. */
const intervalMs = 200;

/** Notes every command line that is to be seen on the computer, those of the lab's machines too. */
export class CommandWatch {
  readonly #file: string;
  readonly #seen = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(file: string) {
    this.#file = file;
    this.#timer = setInterval(() => this.#look(), intervalMs);
    this.#timer.unref();
  }

  /** Ends it and writes the command lines, one a line, each once. */
  stop(): void {
    clearInterval(this.#timer);
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, `${[...this.#seen].join("\n")}\n`, { mode: 0o600 });
  }

  #look(): void {
    for (const process of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const line = readFileSync(`/proc/${process}/cmdline`, "utf8");
        if (line !== "") this.#seen.add(line.replaceAll("\0", " ").replaceAll("\n", " ").trim());
      } catch {
        // It ended between being listed and being read.
      }
    }
  }
}
