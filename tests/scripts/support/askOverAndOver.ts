import { Agent, request } from "node:https";

// node askOverAndOver.ts ADDRESS PORT NAME MILLISECONDS
// Asks by a new connection every 100 ms; beside that, keeps one connection to the server NAME and asks by it.
// Prints what happened as JSON, sooner if it is told to end (SIGTERM).
const [host = "", port = "", wanted = "", limit = ""] = process.argv.slice(2);

interface Answer {
  readonly name: string | undefined;
  readonly tookMs: number;
}

async function ask(agent: Agent | false): Promise<Answer> {
  const started = Date.now();
  const name = await new Promise<string | undefined>((resolve) => {
    const options = { host, port, path: "/", rejectUnauthorized: false, agent, timeout: 10_000 };
    const question = request(options, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (body += part));
      response.on("end", () => {
        resolve(body);
      });
      response.on("error", () => {
        resolve(undefined);
      });
    });
    question.on("timeout", () => question.destroy());
    question.on("error", () => {
      resolve(undefined);
    });
    question.end();
  });
  return { name, tookMs: Date.now() - started };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function keptConnection(): Promise<Agent> {
  for (;;) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    if ((await ask(agent)).name === wanted) return agent;
    agent.destroy();
  }
}

const kept = await keptConnection();
process.stdout.write("ready\n");
let end = Date.now() + Number(limit);
process.on("SIGTERM", () => (end = 0));
const fresh: Promise<Answer>[] = [];
const keptAnswers: Answer[] = [];
const asking = (async () => {
  while (Date.now() < end) {
    keptAnswers.push(await ask(kept));
    await pause(50);
  }
})();
while (Date.now() < end) {
  fresh.push(ask(false));
  await pause(100);
}
await asking;
const answers = await Promise.all(fresh);
process.stdout.write(
  `${JSON.stringify({
    asked: answers.length,
    failed: answers.filter(({ name }) => name === undefined).length,
    slowestMs: Math.max(...answers.map(({ tookMs }) => tookMs)),
    keptFailed: keptAnswers.filter(({ name }) => name === undefined).length,
    keptSlowestMs: Math.max(...keptAnswers.map(({ tookMs }) => tookMs)),
  })}\n`,
);
kept.destroy();
