import type * as z from "zod";

/** Writes one line of progress for the operator. */
export type Progress = (line: string) => void;

export type Verb = "create" | "update" | "delete";

/** What an act is told besides its request. */
export interface ActContext {
  readonly verb: Verb;
  readonly progress: Progress;
  /** What the act's last create or update answered; absent on create. */
  readonly previous: unknown;
}

/**
 * Something that touches several machines, run as a local command. It is idempotent: run again after
 * any failure, it goes on from what it finds. What it resolves to is what the stack remembers.
 */
export type Act = (request: unknown, context: ActContext) => Promise<object>;

/** An act that is only run with a request of its schema. */
export function defineAct<Request>(
  schema: z.ZodType<Request>,
  run: (request: Request, context: ActContext) => Promise<object>,
): Act {
  return async (request, context) => await run(schema.parse(request), context);
}

/** An error that needs no stack: what was seen, why it matters, what to do. */
export class ActError extends Error {
  constructor(seen: string, why: string, cure: string) {
    super(`${seen}\n  why it matters: ${why}\n  what to do: ${cure}`);
    this.name = "ActError";
  }
}
