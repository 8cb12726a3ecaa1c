import assert from "node:assert/strict";
import { StepRecorder } from "../../lab/measure/steps.ts";

const of = (name: string, op = "create", type = "command:local:Command") => ({
  metadata: {
    op,
    type,
    urn: `urn:pulumi:lab::triad::triad:index:Cluster$${type}::${name}`,
    new: { custom: !type.startsWith("triad:") && !type.endsWith(":Stack") },
  },
});

describe("steps of an up", () => {
  it("are the resources that took more than 0.2 s, by logical name, in order of their start", () => {
    const recorder = new StepRecorder();
    recorder.take({ resourcePreEvent: of("slow") }, 1000);
    recorder.take({ resourcePreEvent: of("quick") }, 1100);
    recorder.take({ resOutputsEvent: of("quick") }, 1200);
    recorder.take({ resourcePreEvent: of("later") }, 1300);
    recorder.take({ resOpFailedEvent: of("later") }, 2000);
    recorder.take({ resOutputsEvent: of("slow") }, 3000);
    assert.deepEqual(recorder.steps, [
      { name: "slow", startMs: 1000, endMs: 3000 },
      { name: "later", startMs: 1300, endMs: 2000 },
    ]);
  });

  it("leave out the stack, providers and components", () => {
    const recorder = new StepRecorder();
    for (const type of ["pulumi:pulumi:Stack", "pulumi:providers:command", "triad:index:Cluster"]) {
      recorder.take({ resourcePreEvent: of("homelab", "create", type) }, 0);
      recorder.take({ resOutputsEvent: of("homelab", "create", type) }, 9000);
    }
    assert.deepEqual(recorder.steps, []);
  });

  it("tell a replacement's delete from its create", () => {
    const recorder = new StepRecorder();
    for (const [op, at] of Object.entries({ "create-replacement": 0, "delete-replaced": 1000 })) {
      recorder.take({ resourcePreEvent: of("one", op) }, at);
      recorder.take({ resOutputsEvent: of("one", op) }, at + 500);
    }
    assert.deepEqual(
      recorder.steps.map(({ name }) => name),
      ["one", "one (delete)"],
    );
  });
});
