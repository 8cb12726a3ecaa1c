import { imageNames } from "../artifacts/images.ts";
import { workload } from "../before/workload/workload.ts";
import { eventually } from "../measure/eventually.ts";
import { kubectl } from "../measure/inside.ts";
import { podsOn } from "../measure/podsOn.ts";
import { shell, topology } from "./support.ts";

/** Data that lie on a machine's own disk. */
const marker = "/var/lib/longhorn/marker-of-a-server";

const { namespace } = workload;
const nameOn = (server: string): string => `placed-on-${server}`;

/** Puts a pod of nobody's and data of its own on a server: both must outlive that it is one. */
export async function place(server: string): Promise<void> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: nameOn(server), namespace },
    spec: {
      nodeName: server,
      tolerations: [{ operator: "Exists" }],
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "placed",
          image: imageNames.prober,
          args: ["serve", "--listen=:8080", `--answer=${workload.answer}`],
        },
      ],
    },
  };
  await kubectl(topology, ["apply", "--filename=-"], JSON.stringify(pod));
  await shell(server, `mkdir -p "$(dirname ${marker})" && echo ${server} >${marker}`);
  await eventually(60, async () => {
    const lines = await podsOn(topology, server);
    const own = lines.find((line) => line.startsWith(`${namespace}/${nameOn(server)}/`));
    return own?.endsWith("Z") === true ? undefined : `${nameOn(server)} does not run: ${own ?? ""}`;
  });
}

/** What is to stay of a server. */
export interface Placed {
  /** Its Node's identity. */
  readonly node: string;
  /** Its pods' containers, and since when they run. */
  readonly pods: readonly string[];
  /** What lies on its own disk. */
  readonly data: string;
}

/** What there is of it now. */
export async function placedOn(server: string): Promise<Placed> {
  const uid = ["get", "node", server, "-o=jsonpath={.metadata.uid}"];
  return {
    node: await kubectl(topology, uid),
    pods: await podsOn(topology, server),
    data: await shell(server, `cat ${marker}`),
  };
}

/** Takes it away again. */
export async function unplace(server: string): Promise<void> {
  const pod = ["delete", "pod", nameOn(server), `--namespace=${namespace}`, "--ignore-not-found"];
  await kubectl(topology, pod);
  await shell(server, `rm -f ${marker}`);
}
