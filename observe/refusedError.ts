/** The world is not as the plan needs it; nothing was changed. */
export class RefusedError extends Error {
  constructor(faults: readonly string[]) {
    const how = faults.length === 1 ? "a machine is" : `${faults.length} things are`;
    super(
      `nothing was changed, because ${how} not as the plan needs it:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
    );
    this.name = "RefusedError";
  }
}
