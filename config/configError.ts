/** One thing wrong with the config. */
export interface Fault {
  /** Where, as written in the file: `servers[1]`, `machines.k8s-master.address`. */
  readonly path: string;
  /** What is wrong. */
  readonly problem: string;
  /** What would be right. */
  readonly cure: string;
}

/** Every fault of a config; the message has one line for each, `path: problem; cure`. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ path, problem, cure }) => `${path}: ${problem}; ${cure}`).join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
  }
}
