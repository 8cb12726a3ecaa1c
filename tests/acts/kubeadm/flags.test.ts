import { strict as assert } from "node:assert";
import { missingNow } from "../../../acts/kubeadm/flags.ts";
import type { Flags } from "../../../acts/request.ts";

const flags: Flags = {
  server: {},
  apiServer: { "shutdown-delay-duration": "15s", v: "2" },
  etcd: {},
  audit: false,
};
const missing = [
  "etcd --snapshot-count=5000",
  "kube-apiserver --shutdown-delay-duration=15s",
  "kube-apiserver --v=2",
];

describe("flags that a found server of kubeadm lacks", () => {
  it("are all of them reason to refuse or restart it, unless told", () => {
    assert.deepEqual(missingNow(missing, flags), missing);
  });

  it("are none where it may get them with its next restart", () => {
    const later = ["shutdown-delay-duration"];
    assert.deepEqual(missingNow(missing, { ...flags, later }), [
      "etcd --snapshot-count=5000",
      "kube-apiserver --v=2",
    ]);
    const alone = ["kube-apiserver --shutdown-delay-duration=15s"];
    assert.deepEqual(missingNow(alone, { ...flags, later }), []);
    // The name alone does not do: another flag may begin alike, and etcd's are not meant.
    const others = [
      "kube-apiserver --shutdown-delay-durations=1",
      "etcd --shutdown-delay-duration=15s",
    ];
    assert.deepEqual(missingNow(others, { ...flags, later }), others);
  });
});
