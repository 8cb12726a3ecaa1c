import { strict as assert } from "node:assert";
import { ApiException, type V1Secret } from "@kubernetes/client-node";
import { ActError } from "../../acts/act.ts";
import { giveToAll } from "../../acts/readiness.ts";
import {
  ensureAccount,
  forgetOthers,
  readinessToken,
  type TokenCluster,
} from "../../acts/readinessToken.ts";
import { type Machine, readinessRequest } from "../../acts/request.ts";

const quiet = (): void => undefined;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A cluster that keeps what is applied, and whose controller fills a Secret at the second look. */
class Cluster {
  readonly applied: object[] = [];
  readonly secrets = new Map<string, V1Secret>();
  #looks = 0;

  readonly core = {
    patchNamespacedServiceAccount: this.#apply.bind(this),
    listNamespacedSecret: async ({ labelSelector = "" }) => ({
      items: [...this.secrets.values()]
        .filter(({ metadata }) => {
          const [label = "", value] = labelSelector.split("=");
          return metadata?.labels?.[label] === value;
        })
        .reverse(),
    }),
    createNamespacedSecret: async ({ body }: { body: V1Secret }) => {
      const count = this.secrets.size;
      const metadata = {
        ...body.metadata,
        name: `${body.metadata?.generateName}${count}`,
        creationTimestamp: new Date(1_000 * count),
      };
      this.secrets.set(metadata.name, { ...body, metadata });
      return { ...body, metadata };
    },
    readNamespacedSecret: async ({ name }: { name: string }) => {
      const secret = this.secrets.get(name);
      if (secret === undefined) throw new ApiException(404, "not found", {}, {});
      if (this.#looks++ % 2 === 0) return secret;
      const data = { token: base64(`token of ${name}`), "ca.crt": base64("PEM") };
      return { ...secret, data };
    },
    deleteNamespacedSecret: async ({ name }: { name: string }) => {
      this.secrets.delete(name);
      return {};
    },
  };
  readonly rbac = {
    patchClusterRole: this.#apply.bind(this),
    patchClusterRoleBinding: this.#apply.bind(this),
  };

  async #apply({ body }: { body: object }): Promise<object> {
    await Promise.resolve();
    this.applied.push(body);
    return body;
  }

  /** As the act sees it. */
  get api(): TokenCluster {
    // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest of the API is not used
    return this as unknown as TokenCluster;
  }
}

describe("the load balancers' credential", () => {
  it("belongs to an account that may read /readyz and nothing else", async () => {
    const cluster = new Cluster();
    await ensureAccount(cluster.api);
    const metadata = {
      name: "triad-readiness",
      labels: {
        "app.kubernetes.io/name": "triad-readiness",
        "app.kubernetes.io/managed-by": "triad",
      },
    };
    const rbac = "rbac.authorization.k8s.io";
    assert.deepEqual(cluster.applied, [
      {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { ...metadata, namespace: "kube-system" },
        automountServiceAccountToken: false,
      },
      {
        apiVersion: `${rbac}/v1`,
        kind: "ClusterRole",
        metadata,
        rules: [{ nonResourceURLs: ["/readyz", "/readyz/*"], verbs: ["get"] }],
      },
      {
        apiVersion: `${rbac}/v1`,
        kind: "ClusterRoleBinding",
        metadata,
        roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "triad-readiness" },
        subjects: [{ kind: "ServiceAccount", name: "triad-readiness", namespace: "kube-system" }],
      },
    ]);
  });

  it("is waited for until the controller has filled it in, and used again by an update", async () => {
    const cluster = new Cluster();
    const lines: string[] = [];
    const first = await readinessToken(cluster.api, true, (line) => lines.push(line));
    assert.deepEqual(first, {
      secret: "triad-readiness-token-0",
      token: "token of triad-readiness-token-0",
      ca: "PEM",
    });
    assert.match(lines.join("\n"), /it is empty/);
    const secret = cluster.secrets.get(first.secret);
    assert.equal(secret?.type, "kubernetes.io/service-account-token");
    assert.deepEqual(secret.metadata?.annotations, {
      "kubernetes.io/service-account.name": "triad-readiness",
    });
    assert.deepEqual(await readinessToken(cluster.api, false, quiet), first);
    assert.equal(cluster.secrets.size, 1);
  });

  it("is new after a replacement of the command, which ends the old ones and nobody else's", async () => {
    const cluster = new Cluster();
    await readinessToken(cluster.api, true, quiet);
    const renewed = await readinessToken(cluster.api, true, quiet);
    assert.equal(renewed.secret, "triad-readiness-token-1");
    // A run that ended before it gave the new one away: the next update goes on with the newest.
    assert.deepEqual(await readinessToken(cluster.api, false, quiet), renewed);
    cluster.secrets.set("k3s-serving", { metadata: { name: "k3s-serving" } });
    await forgetOthers(cluster.api, renewed);
    assert.deepEqual([...cluster.secrets.keys()], ["triad-readiness-token-1", "k3s-serving"]);
  });

  it("is made anew by an update where its Secret is gone", async () => {
    const cluster = new Cluster();
    const { secret } = await readinessToken(cluster.api, false, quiet);
    assert.equal(secret, "triad-readiness-token-0");
  });

  const machine = (name: string): Machine => ({
    name,
    nodeName: name,
    address: "192.168.1.5",
    hostKey: "ssh-ed25519 AAAA",
    ssh: { user: "root", port: 22 },
  });

  it("reaches the other load balancers when one is off, which is named", async () => {
    const given: string[] = [];
    const giving = giveToAll(["a", "b", "c"].map(machine), async ({ name }) => {
      if (name === "b") throw new Error("b: no route to host");
      await new Promise(setImmediate);
      given.push(name);
    });
    await assert.rejects(giving, (error) => {
      assert.ok(error instanceof ActError);
      assert.match(error.message, /readiness check of b has no credential:\n {4}b: .*no route/);
      return true;
    });
    assert.deepEqual(given, ["a", "c"]);
  });

  it("is not in what the act is told", () => {
    const request = {
      distribution: "k3s",
      identity: { agent: true },
      peers: [machine("a")],
      loadBalancers: [machine("a")],
    };
    assert.deepEqual(readinessRequest.parse(request), request);
    assert.equal(
      readinessRequest.safeParse({ ...request, loadBalancers: "servers" }).success,
      false,
    );
  });
});
