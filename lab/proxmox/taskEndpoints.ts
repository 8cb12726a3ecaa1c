import { z } from "zod";
import { need } from "./access.ts";
import type { Datacenter } from "./datacenter.ts";
import { onNode } from "./parameters.ts";
import type { Task } from "./tasks.ts";

const onTask = onNode.extend({ upid: z.string() });

/** How tasks go, and what they said. Whoever began one may look at it. */
export function taskEndpoints({ api, tasks }: Datacenter): void {
  api.on("GET", "/nodes/:node/tasks", {
    input: onNode.extend({ vmid: z.string().optional(), limit: z.coerce.number().optional() }),
    needs: ({ node }) => [need("Sys.Audit", `/nodes/${node}`)],
    answer: ({ node, vmid }) =>
      tasks
        .of(node)
        .filter(({ id }) => vmid === undefined || id === vmid)
        .map(rowOf),
  });
  api.on("GET", "/nodes/:node/tasks/:upid/status", {
    input: onTask,
    answer: ({ upid }) => rowOf(tasks.get(upid)),
  });
  api.on("GET", "/nodes/:node/tasks/:upid/log", {
    input: onTask.extend({
      start: z.coerce.number().optional(),
      limit: z.coerce.number().optional(),
    }),
    answer: ({ upid }) => tasks.get(upid).log.map((text, index) => ({ n: index + 1, t: text })),
  });
}

function rowOf(task: Task): Readonly<Record<string, unknown>> {
  const { upid, node, type, id, user, pid, startTime, endTime, exitStatus } = task;
  return {
    ...{ upid, node, type, id, user, pid, starttime: startTime, pstart: startTime },
    ...(endTime === undefined
      ? { status: "running" }
      : { status: "stopped", exitstatus: exitStatus, endtime: endTime }),
  };
}
