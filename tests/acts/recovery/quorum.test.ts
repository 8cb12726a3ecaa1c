import { strict as assert } from "node:assert";
import { ActError } from "../../../acts/act.ts";
import { hasNoQuorum } from "../../../acts/recovery/quorum.ts";
import { machineOf } from "../k3s/doubles.ts";

const shuttle = machineOf("shuttle", "192.168.1.6");

describe("whether a quorum is lost", () => {
  const looking = (answers: number[]) => async () => ({ members: answers.shift() ?? 0 });

  it("is not said before an election would be over", async () => {
    const answers = [0, 0, 0, 0, 3];
    await assert.rejects(
      hasNoQuorum(looking(answers), shuttle, () => undefined, 0),
      (error) => error instanceof ActError && /etcd on shuttle has a quorum/.test(error.message),
    );
  });

  it("holds when nobody answers for that long", async () => {
    await hasNoQuorum(looking([]), shuttle, () => undefined, 0);
  });
});
