import type { EngineLog } from "./engineLog.ts";
import type { Properties } from "./values.ts";

/** What surrounds one create, update or delete. */
export interface Operation {
  readonly urn: string;
  /** The resource's logical name. */
  readonly name: string;
  /** Aborted on `pulumi cancel`, on Ctrl-C, at the end of `customTimeouts`, and when the engine is gone. */
  readonly signal: AbortSignal;
  readonly log: EngineLog;
}

/** Why an input was refused. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

/** One type of resource. Secrets arrive revealed; nothing here runs during a preview. */
export interface ResourceType {
  /** Outputs beside the inputs; unknown during the preview of a change. */
  readonly outputs: readonly string[];
  /** Those of the outputs that are always secret. */
  readonly secretOutputs?: readonly string[];
  /** Values of inputs that the program left out. */
  readonly defaults?: Properties;
  /** Does a change of this input replace the resource? */
  replaces(input: string): boolean;
  check?(inputs: Properties): readonly CheckFailure[];
  create(inputs: Properties, operation: Operation): Promise<Created>;
  update?(state: Properties, inputs: Properties, operation: Operation): Promise<Properties>;
  delete?(state: Properties, operation: Operation): Promise<void>;
}

/** A created resource: its provider id and its outputs beside the inputs. */
export interface Created {
  readonly id: string;
  readonly outputs: Properties;
}

/** A resource plugin: its types by token, such as `command:local:Command`. */
export interface Plugin {
  readonly version: string;
  readonly types: Readonly<Record<string, ResourceType>>;
}
