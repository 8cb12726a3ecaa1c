import type { Sample } from "./sample.ts";
import type { Answer } from "./request.ts";
import type { Way } from "./way.ts";

/** Times one request and says what became of it: good is the status that was hoped for, nothing else. */
export async function attempt(
  way: Way,
  hopedFor: number,
  ask: () => Promise<Answer>,
): Promise<Sample> {
  const { host, port } = way.target;
  const startMs = Date.now();
  const problem = await ask().then(
    ({ status }) => (status === hopedFor ? undefined : `status ${status}`),
    (error: unknown) =>
      error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  );
  const sample = {
    startMs,
    endMs: Date.now(),
    ok: problem === undefined,
    target: `${host}:${port}`,
  };
  return problem === undefined ? sample : { ...sample, problem };
}
