import { strict as assert } from "node:assert";
import {
  changeNotes,
  leaversOf,
  membersOnceJoined,
  pausedServers,
  silentLeaver,
} from "../../observe/leavers.ts";
import { member, samplePlan, withGone } from "../support/samplePlan.ts";

const three = [member("10.0.20.100"), member("10.0.20.110"), member("10.0.20.111")];

describe("the servers that a list lets go", () => {
  it("are those that etcd knows, wherever they were in the list", () => {
    const plan = samplePlan(["k8s-master-2", "k8s-master-3"]);
    assert.deepEqual(
      leaversOf(plan, three).map(({ name, becomes }) => [name, becomes]),
      [["k8s-master", undefined]],
    );
    assert.deepEqual(leaversOf(samplePlan(["k8s-master-2"]), []), []);
  });

  it("are workers afterwards if the same edit says so, or their machine", () => {
    const workers = ["k8s-node1", "k8s-node2", "k8s-master-3"];
    const plan = samplePlan(["k8s-master", "k8s-master-2"], { workers });
    assert.deepEqual(
      leaversOf(plan, three).map(({ name, becomes }) => [name, becomes]),
      [["k8s-master-3", "worker"]],
    );
    assert.match(changeNotes(plan, three).join("\n"), /^k8s-master-3 .* leaves, and is a worker/);
  });

  it("are not those that are gone: these are listed, and removed without being asked", () => {
    const plan = samplePlan(
      ["k8s-master", "k8s-master-2", "k8s-master-3"],
      withGone("k8s-master-3"),
    );
    assert.deepEqual(leaversOf(plan, three), []);
  });

  it("leave after the new ones have joined", () => {
    const plan = samplePlan(["k8s-master-2"]);
    const joined = membersOnceJoined(plan, three.slice(0, 1));
    assert.deepEqual(
      joined.map(({ peerAddress, role, healthy }) => [peerAddress, role, healthy]),
      [
        ["10.0.20.100", "voter", true],
        ["10.0.20.110", "voter", true],
      ],
    );
  });

  it("are told beforehand, as are those that join; of a forgotten cluster nobody leaves", () => {
    const plan = samplePlan(["k8s-master", "k8s-master-2"]);
    const members = [member("10.0.20.100"), member("10.0.20.111")];
    const notes = changeNotes(plan, members);
    assert.equal(notes.length, 2);
    assert.match(notes[0] ?? "", /^k8s-master-2 is listed and no voter .* --replace/);
    assert.match(notes[1] ?? "", /^k8s-master-3 is a voter of etcd and not listed: it leaves$/);
    const forgotten = samplePlan(["k8s-master"], { onDestroy: "forget" });
    assert.deepEqual(changeNotes(forgotten, three), []);
    assert.deepEqual(changeNotes(plan, []), []);
  });

  it("are none of those behind a pause: these are refused", () => {
    const plan = samplePlan(["k8s-master", "k8s-master-2", "k8s-master-3"], {
      pauseAfter: "k8s-master",
    });
    assert.deepEqual(pausedServers(plan, three.slice(0, 1)), []);
    const [fault, ...others] = pausedServers(plan, three.slice(0, 2));
    assert.match(fault ?? "", /^pauseAfter: k8s-master-2 is behind the pause and a server already/);
    assert.deepEqual(others, []);
  });

  it("must answer; what is gone must be listed once more to be removed", () => {
    const [leaver] = leaversOf(samplePlan(["k8s-master", "k8s-master-2"]), three);
    assert.ok(leaver);
    assert.match(
      silentLeaver(leaver, "it is off"),
      /^k8s-master-3 cannot leave: it is off: .*list it again/,
    );
    assert.match(silentLeaver({ ...leaver, gone: true }, ""), /it is gone.*list it again/);
  });
});
