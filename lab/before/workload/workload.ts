/** The web page of the lab's home: where it is found and what it answers. */
export const workload = {
  namespace: "home",
  service: "hello",
  /** Name by which pods reach it. */
  host: "hello.home.svc.cluster.local",
  /** What every request is answered with, and a line break. */
  answer: "hello from the home",
  /** What of it has to be there when it is whole: namespace and name for kubectl. */
  parts: [["home", "deployment/hello"]],
} as const;

/** How many ConfigMaps and how many Secrets with known content lie beside the page. */
export const keepsakes = 20;

/** ConfigMaps and Secrets with known content, as one YAML text. */
export function keepsakeManifests(): string {
  const documents: unknown[] = [];
  for (let number = 1; number <= keepsakes; number += 1) {
    const metadata = { name: `keepsake-${String(number)}`, namespace: workload.namespace };
    const data = { text: `worth keeping, number ${String(number)}` };
    documents.push({ apiVersion: "v1", kind: "ConfigMap", metadata, data });
    documents.push({ apiVersion: "v1", kind: "Secret", metadata, stringData: data });
  }
  return documents.map((document) => JSON.stringify(document)).join("\n---\n");
}
