/** Tells whoever is watching what the lab does now; standard output stays for results. */
export function progress(message: string): void {
  process.stderr.write(`lab: ${message}\n`);
}
