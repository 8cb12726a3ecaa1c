import { figures } from "./figures.ts";
import type { Figures, Window } from "./figures.ts";
import { probeIntervalMs } from "./pacing.ts";
import type { Sample } from "./sample.ts";
import type { Step } from "./steps.ts";

/** A member of the cluster as the API shows it. */
export interface NodeState {
  readonly name: string;
  readonly role: "server" | "worker";
  readonly ready: boolean;
  readonly version: string;
}

/** How large a cluster is: its servers, and the objects in it apart from events and the writer's own. */
export interface Size {
  readonly servers: number;
  readonly objects: number;
}

export interface ProbeFigures extends Figures {
  readonly intervalMs: number;
}

/** What `make lab` found: out/lab/report.json. All times are milliseconds since the measurement's start. */
export interface Report {
  readonly stack: string;
  readonly steps: readonly { name: string; startMs: number; endMs: number; api: Figures }[];
  readonly api: ProbeFigures;
  readonly inCluster: ProbeFigures;
  readonly writes: { readonly acknowledged: number; readonly lost: number };
  readonly etcd: { readonly voters: number; readonly learners: number };
  readonly nodes: readonly NodeState[];
  readonly before: Size;
  readonly after: Size;
}

/** What was measured, with times in Unix milliseconds, and what was found afterwards. */
export interface Findings extends Omit<Report, "steps" | "api" | "inCluster" | "writes"> {
  readonly whole: Window;
  readonly steps: readonly Step[];
  readonly outside: readonly Sample[];
  readonly inCluster: readonly Sample[];
  readonly writes: readonly Sample[];
  readonly lost: number;
}

export function buildReport(found: Findings): Report {
  const { stack, whole, outside, etcd, nodes, before, after } = found;
  const since = (ms: number) => Math.round(ms - whole.startMs);
  const summary = (samples: readonly Sample[]) => ({
    intervalMs: probeIntervalMs,
    ...figures(samples, whole),
  });
  return {
    stack,
    steps: found.steps
      .toSorted((one, other) => one.startMs - other.startMs)
      .map((step) => ({
        name: step.name,
        startMs: since(step.startMs),
        endMs: since(step.endMs),
        api: figures(outside, whole, step),
      })),
    api: summary(outside),
    inCluster: summary(found.inCluster),
    writes: {
      acknowledged: found.writes.filter((sample) => sample.ok).length,
      lost: found.lost,
    },
    etcd,
    nodes,
    before,
    after,
  };
}
