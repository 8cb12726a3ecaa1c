import { StringDecoder } from "node:string_decoder";

import type { Properties } from "../protocol/values.ts";

/** What of a command's output is shown while it runs. */
type Logging = "none" | "stdout" | "stderr" | "stdoutAndStderr";

/** Collects what a command prints, and shows it line by line while it runs. */
export class CommandOutput {
  readonly #decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  readonly #texts = { stdout: "", stderr: "" };
  readonly #shows: (stream: "stdout" | "stderr") => boolean;
  readonly #show: (line: string) => void;
  #both = "";
  #line = "";

  constructor(logging: unknown, show: (line: string) => void) {
    const wanted = parseLogging(logging);
    this.#shows = (stream) => wanted === "stdoutAndStderr" || wanted === stream;
    this.#show = show;
  }

  /** Takes a piece of output as it comes. */
  take(stream: "stdout" | "stderr", piece: Buffer): void {
    const text = this.#decoders[stream].write(piece);
    this.#texts[stream] += text;
    this.#both += text;
    if (!this.#shows(stream)) return;
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#show(line.replace(/\r$/, ""));
  }

  /** Shows a last line that had no end. */
  end(): void {
    if (this.#line !== "") this.#show(this.#line);
    this.#line = "";
  }

  /** Both streams in the order in which they came. */
  get both(): string {
    return this.#both;
  }

  /** The resource's outputs: each stream less one newline at its end. */
  outputs(): Properties {
    return {
      stdout: this.#texts.stdout.replace(/\n$/, ""),
      stderr: this.#texts.stderr.replace(/\n$/, ""),
    };
  }
}

function parseLogging(value: unknown): Logging {
  return value === "none" || value === "stdout" || value === "stderr" ? value : "stdoutAndStderr";
}
