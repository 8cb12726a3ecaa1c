/** Tells on standard error what goes on and how long it took: plain lines, for a terminal and a log alike. */
export class Phases {
  readonly #startMs = Date.now();

  /** Runs one phase between two lines. */
  async run<T>(title: string, act: (tell: (line: string) => void) => Promise<T>): Promise<T> {
    this.#line(title);
    const startMs = Date.now();
    const result = await act((text) => this.#line(`  ${text}`));
    this.#line(`  done in ${inSeconds(Date.now() - startMs)}`);
    return result;
  }

  #line(text: string): void {
    const seconds = Math.floor((Date.now() - this.#startMs) / 1000);
    const clock = `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, "0")}`;
    process.stderr.write(`${clock.padStart(6)}  ${text}\n`);
  }
}

/** Milliseconds as a person reads them: `18.2 s`. */
export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
