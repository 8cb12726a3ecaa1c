import { createInterface } from "node:readline/promises";

/** Asks the person at the terminal. @returns what was typed; empty where nobody can type */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    // On a closed input the question would never be answered.
    const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
    return (await Promise.race([terminal.question(question), closed])).trim();
  } finally {
    terminal.close();
  }
}
