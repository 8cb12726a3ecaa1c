import { z } from "zod";
import type { Window } from "./figures.ts";

/** Something that took time, by name; times are Unix milliseconds. */
export interface Step extends Window {
  readonly name: string;
}

const state = z.object({ custom: z.boolean().optional() });
const metadata = z.object({
  op: z.string(),
  urn: z.string(),
  type: z.string(),
  old: state.nullish(),
  new: state.nullish(),
});
const resource = z.object({ metadata });

/** The events of the engine that tell of resources; every other kind passes as an empty object. */
export const engineEventSchema = z.object({
  resourcePreEvent: resource.optional(),
  resOutputsEvent: resource.optional(),
  resOpFailedEvent: resource.optional(),
  diagnosticEvent: z.object({ message: z.string(), severity: z.string() }).optional(),
});

/** @see {@link engineEventSchema} */
export type EngineEvent = z.infer<typeof engineEventSchema>;

/** Shorter ones are no steps: bookkeeping of the engine. */
const leastMs = 200;

/** Turns the engine's events, each noted as it arrives, into the steps of one `pulumi up`. */
export class StepRecorder {
  readonly #begun = new Map<string, number>();
  readonly #steps: Step[] = [];

  /** Takes an event that arrived at `atMs`, for the engine's own stamps are whole seconds. Gives a step that it ends. */
  take(event: EngineEvent, atMs: number): Step | undefined {
    const begins = event.resourcePreEvent?.metadata;
    const ends = (event.resOutputsEvent ?? event.resOpFailedEvent)?.metadata;
    if (begins) this.#begun.set(keyOf(begins), atMs);
    if (!ends) return undefined;
    const startMs = this.#begun.get(keyOf(ends));
    this.#begun.delete(keyOf(ends));
    if (startMs === undefined || atMs - startMs <= leastMs || !actsByItself(ends)) return undefined;
    const step = { name: nameOf(ends), startMs, endMs: atMs };
    this.#steps.push(step);
    return step;
  }

  /** The steps so far, in the order in which they started. */
  get steps(): Step[] {
    return this.#steps.toSorted((one, other) => one.startMs - other.startMs);
  }
}

type Metadata = z.infer<typeof metadata>;

function keyOf({ op, urn }: Metadata): string {
  return `${op} ${urn}`;
}

/** Components only hold other resources, providers do nothing of their own, and what stays as it is does nothing. */
function actsByItself({ op, type, old, new: next }: Metadata): boolean {
  return op !== "same" && (next ?? old)?.custom === true && !type.startsWith("pulumi:");
}

function nameOf({ op, urn }: Metadata): string {
  const name = urn.split("::").at(-1) ?? urn;
  return op.startsWith("delete") ? `${name} (delete)` : name;
}
