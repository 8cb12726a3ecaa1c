import { workload } from "../before/workload/workload.ts";
import { beforeMachines } from "../before/beforeState.ts";
import { exec } from "../machines/machine.ts";
import { kubectl } from "../measure/inside.ts";
import { topology } from "./support.ts";

/** Where a Service is found. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

const { namespace, service } = workload;

/** Where the home's page is found now. */
export async function placeOfService(): Promise<Place> {
  const get = ["get", "service", service, `--namespace=${namespace}`];
  const format = "-o=jsonpath={.spec.clusterIP} {.spec.ports[0].port}";
  const [address = "", port = ""] = (await kubectl(topology, [...get, format])).split(" ");
  return { address, port: Number(port) };
}

/** Moves it to another place: who goes on with what he knew finds it neither by address nor by name. */
export async function moveService({ address, port }: Place): Promise<void> {
  const spec = {
    clusterIP: address,
    selector: { app: service },
    ports: [{ port, targetPort: 8080 }],
  };
  const metadata = { name: service, namespace };
  const manifest = JSON.stringify({ apiVersion: "v1", kind: "Service", metadata, spec });
  await kubectl(topology, ["replace", "--force", "--filename=-"], manifest);
}

/** Says who does not find it there: machines by its address, a pod on each by its name. */
export async function missesService({ address, port }: Place): Promise<string | undefined> {
  const byAddress = beforeMachines(topology).map(async ({ name }) => {
    const url = `http://${address}:${String(port)}/`;
    const { stdout } = await exec(name, ["curl", "-sS", "--max-time", "3", url]);
    return stdout.includes(workload.answer) ? undefined : name;
  });
  const list = ["get", "pods", `--namespace=${namespace}`, "--selector=app=resident", "-o=name"];
  const pods = (await kubectl(topology, list)).split("\n").filter((line) => line !== "");
  const byName = pods.map(async (pod) => {
    const url = `http://${workload.host}:${String(port)}/`;
    const ask = [
      "exec",
      `--namespace=${namespace}`,
      pod,
      "--",
      "/usr/local/bin/prober",
      "get",
      url,
    ];
    const answer = await kubectl(topology, ask).catch(String);
    return answer.includes(workload.answer) ? undefined : pod;
  });
  const missing = (await Promise.all([...byAddress, ...byName])).filter((who) => who !== undefined);
  if (pods.length !== byAddress.length) return `only ${pods.join(", ")} could be asked`;
  return missing.length === 0 ? undefined : `${missing.join(", ")} can't find it`;
}
