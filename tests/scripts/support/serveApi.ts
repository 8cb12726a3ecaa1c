import { ApiDouble } from "./apiDouble.ts";

// node serveApi.ts NAME ADDRESS PORT: an API double as a process, for a network namespace of its own
const [name = "", address = "", port = ""] = process.argv.slice(2);
await new ApiDouble(name, address, Number(port)).start();
