import type { Complaint } from "./complaint.ts";

const DOWNLOAD = ["https:", "http:"];

/** Refuses what is no http or https URL. */
export function judgeUrl(value: string): Complaint | undefined {
  return judge(value, DOWNLOAD, "https://dl.k8s.io");
}

/** Refuses what is no https URL. */
export function judgeHttpsUrl(value: string): Complaint | undefined {
  return judge(value, ["https:"], "https://login.homelab.example");
}

function judge(value: string, schemes: readonly string[], example: string): Complaint | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || url.host === "") {
    return { problem: `"${value}" is not a URL`, cure: `give one, for instance ${example}` };
  }
  if (url.username !== "" || url.password !== "") {
    return {
      // The value is not repeated: it may hold a password.
      problem: "holds a user or a password, which would be stored in the clear",
      cure: `give the URL without, for instance ${url.protocol}//${url.host}`,
    };
  }
  if (!schemes.includes(url.protocol)) {
    return {
      problem: `"${value}" is a ${url.protocol.slice(0, -1)} URL`,
      cure: `give one that begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`,
    };
  }
  if (url.search === "" && url.hash === "") return undefined;
  return {
    problem: `"${value}" has a query or a fragment`,
    cure: `did you mean ${url.origin}${url.pathname}?`,
  };
}
