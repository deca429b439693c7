/**
 * The address of a registry and its credentials: a URL, with or without `user:password@`, and headers as typed on the
 * command line.
 */

/** An error whose message is shown to the user. */
export class AddressProblem extends Error {}

export type Address = { url: string; headers: Readonly<Record<string, string>> };

const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/;

/** `headers` are `Name: value`; an Authorization header takes precedence over the URL's user and password. */
export function parseAddress(text: string, headers: readonly string[]): Address {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new AddressProblem(`"${text}" is not a URL such as http://localhost:8080.`);
  }
  const given = headers.map((header) => {
    const match = HEADER.exec(header);
    if (match === null) throw new AddressProblem(`"${header}" is not a header such as "Authorization: Bearer …".`);
    return [match[1]!, match[2]!] as const;
  });
  // fetch refuses URLs that contain credentials.
  const [user, password] = [url.username, url.password].map(decodeCredential);
  url.username = "";
  url.password = "";
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const named = Object.fromEntries(given);
  return {
    url: url.href.replace(/[?#].*$/, "").replace(/\/+$/, ""),
    headers: user && !isAuthorized(named) ? { Authorization: basic, ...named } : named,
  };
}

/** The message does not quote the text, which may be a password. */
function decodeCredential(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AddressProblem("The user or password in the URL is not percent-encoded UTF-8 (write % as %25).");
  }
}

export function isAuthorized(headers: Address["headers"]): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
}

/** The headers with the key, unless they hold credentials of their own. */
export function withKey(headers: Address["headers"], key: string | undefined): Address["headers"] {
  if (key === undefined || isAuthorized(headers)) return headers;
  // fetch refuses other characters with a message that quotes the header, and so the key.
  if (/^[\x21-\x7e]+$/.test(key)) return { Authorization: `Bearer ${key}`, ...headers };
  throw new AddressProblem("The key holds spaces or characters other than printable ASCII; copy it once more.");
}

const IN_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host name currently cannot be resolved",
  ECONNRESET: "the connection was closed before a response arrived",
  UND_ERR_SOCKET: "the connection was closed before a response arrived",
  ETIMEDOUT: "the request timed out",
  UND_ERR_CONNECT_TIMEOUT: "the request timed out",
  UND_ERR_HEADERS_TIMEOUT: "the request timed out",
  EHOSTUNREACH: "the host is unreachable",
  ENETUNREACH: "the network is unreachable",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed (add its authority to NODE_EXTRA_CA_CERTS)",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate's authority is unknown (add it to NODE_EXTRA_CA_CERTS)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate's authority is unknown (add it to NODE_EXTRA_CA_CERTS)",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
};

/** The reason a request got no response. */
export function networkProblem(error: unknown): string {
  const { cause = error } = error as { cause?: unknown };
  const { code, message } = cause as { code?: string; message?: string };
  return (code !== undefined ? IN_WORDS[code] : undefined) ?? message ?? String(cause);
}
