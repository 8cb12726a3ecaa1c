import type { TaskType } from "./tasks.ts";

/** A fault on demand. What has `times` passes after as many hits; the others stay until they are lifted. */
export type Fault =
  /** The template is held by somebody else: a clone of it is refused at once. */
  | { readonly kind: "clone-lock"; readonly template?: number; readonly times?: number }
  /** A task of this kind (default any) ends with an error. */
  | {
      readonly kind: "task-failure";
      readonly task?: TaskType;
      readonly message?: string;
      readonly times?: number;
    }
  /** The node cannot be reached from the one that answers the API, once `skip` requests (default none) got through. */
  | {
      readonly kind: "595";
      readonly node?: string;
      readonly skip?: number;
      readonly times?: number;
    }
  /** No space is left on the storage. */
  | { readonly kind: "storage-full"; readonly storage: string }
  /** Tasks of this kind (default any) take this much longer, in milliseconds. */
  | { readonly kind: "slow-task"; readonly task?: TaskType; readonly ms: number };

/** The faults that are there now. */
export class Faults {
  readonly #faults = new Map<Fault, { skip: number; left: number }>();

  /** @returns what lifts it. */
  add(fault: Fault): () => void {
    const once = fault.kind === "clone-lock" || fault.kind === "task-failure" ? 1 : Infinity;
    const left = ("times" in fault ? fault.times : undefined) ?? once;
    this.#faults.set(fault, { skip: ("skip" in fault ? fault.skip : undefined) ?? 0, left });
    return () => void this.#faults.delete(fault);
  }

  /** Is this template held? */
  hitClone(template: number): boolean {
    return this.#hit("clone-lock", (one) => (one.template ?? template) === template) !== undefined;
  }

  /** What such a task fails with. */
  hitTask(type: TaskType): string | undefined {
    const fault = this.#hit("task-failure", (one) => (one.task ?? type) === type);
    return fault && (fault.message ?? "command failed: exit code 1");
  }

  /** Is this node out of reach? */
  hitNode(node: string): boolean {
    return this.#hit("595", (one) => (one.node ?? node) === node) !== undefined;
  }

  isFull(storage: string): boolean {
    return this.#hit("storage-full", (one) => one.storage === storage) !== undefined;
  }

  delayOf(type: TaskType): number {
    return this.#hit("slow-task", (one) => (one.task ?? type) === type)?.ms ?? 0;
  }

  #hit<Kind extends Fault["kind"]>(
    kind: Kind,
    fits: (fault: Extract<Fault, { kind: Kind }>) => boolean,
  ): Extract<Fault, { kind: Kind }> | undefined {
    const isKind = (fault: Fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind;
    for (const [fault, counts] of this.#faults) {
      if (!isKind(fault) || !fits(fault)) continue;
      if (counts.skip > 0) {
        counts.skip -= 1;
        continue;
      }
      counts.left -= 1;
      if (counts.left === 0) this.#faults.delete(fault);
      return fault;
    }
    return undefined;
  }
}
