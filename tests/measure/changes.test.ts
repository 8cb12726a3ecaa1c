import assert from "node:assert/strict";
import { changed, changeOf } from "../../lab/measure/changes.ts";
import type { EngineEvent } from "../../lab/measure/steps.ts";

function event(op: string, type: string, name: string, custom = true): EngineEvent {
  const urn = `urn:pulumi:lab::triad::triad:index:Cluster$${type}::${name}`;
  return { resOutputsEvent: { metadata: { op, urn, type, old: { custom } } } };
}

describe("changes of a run", () => {
  it("are told by operation, last part of the type, and logical name", () => {
    assert.equal(
      changeOf(event("delete", "random:index/randomPassword:RandomPassword", "hp-stats-password")),
      "delete RandomPassword hp-stats-password",
    );
    assert.equal(changeOf(event("create", "triad:index:Server", "hp", false)), "create Server hp");
  });

  it("leave out what stays, what is the engine's own, and components that hold what is updated", () => {
    assert.equal(changeOf(event("same", "command:local:Command", "hp-membership")), undefined);
    assert.equal(changeOf(event("delete", "pulumi:providers:command", "default")), undefined);
    assert.equal(changeOf(event("update", "triad:index:Server", "hp", false)), undefined);
  });

  it("tell a replacement from a delete", () => {
    const changes = ["delete Server hp", "delete-replaced Command hp-membership"];
    assert.deepEqual(changed(changes, "delete"), ["Server hp"]);
  });
});
