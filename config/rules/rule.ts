import type { Fault } from "../configError.ts";
import type { ConfigDraft, Draft } from "../salvage.ts";
import type { ParsedConfig } from "../schema.ts";

/** What the rules know beside the config. */
export interface World {
  /** Whether there is a file at a path, which is relative to the project or begins with `~/`. */
  readonly fileExists: (path: string) => boolean;
  /** The host key that a machine will have; absent where the secret that it is made of can't be read. */
  readonly hostKeyOf?: (cluster: string, machine: string) => string;
  /** In characters; absent where it can't be read. */
  readonly seedLength?: number;
}

/** Looks at what is well-formed, and says what does not fit together. */
export type Rule = (draft: ConfigDraft, world: World) => Fault[];

/** A machine of which any part may be missing. */
export type MachineDraft = Draft<ParsedConfig["machines"][string]>;

/** The machines with their names; one that is not well-formed at all has no parts. */
export function machinesOf(draft: ConfigDraft): [name: string, machine: MachineDraft][] {
  return Object.entries(draft.machines ?? {}).map(([name, machine]) => [name, machine ?? {}]);
}

/** A flag that isn't the user's to set, and what decides it instead. */
export type Owned = readonly [pattern: RegExp, decidedBy: string];
