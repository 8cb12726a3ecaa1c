/** What goes with a server whose machine was created, in the order in which it must: each only once the one before is gone. */
const parts = ["membership", "booted", "vm", "seed"] as const;

/**
 * What was deleted too early, or not at all, when a server left with its machine, in words.
 * @param output of the run, a line each for what begins and what is done
 */
export function wrongInOrder(output: string, server: string): string[] {
  const lines = output.split("\n");
  const at = (what: "begins" | "done", part: string): number =>
    lines.findIndex(
      (line) => line.startsWith(`delete ${what}: `) && line.endsWith(`::${server}-${part}`),
    );
  const missing = parts.filter((part) => at("done", part) < 0);
  if (missing.length > 0) return missing.map((part) => `${server}-${part} was not deleted`);
  return parts.slice(1).flatMap((part, index) => {
    const before = parts[index] ?? part;
    const isRight = at("done", before) < at("begins", part);
    return isRight ? [] : [`${server}-${part} went before ${server}-${before} was gone`];
  });
}
