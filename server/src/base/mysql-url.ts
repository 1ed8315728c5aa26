/** Where a MySQL or MariaDB database is, from `mysql://user:password@host:3306/database?ssl=true`. */

export interface MysqlTarget {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  tls: boolean;
}

const FORM = "write mysql://user:password@host:3306/database";
const ENCODING = "in user and password write %40 for @, %2F for /, %3F for ?, %23 for # and %25 for %";

/** @throws Error in one line, which has nothing of the password */
export function parseMysqlUrl(url: string): MysqlTarget {
  const parsed = URL.parse(url);
  if (parsed === null) throw new Error(`the store is no URL; ${FORM}; ${ENCODING}`);
  // A password's / or ? ends the host, and what follows it up to the true host would count as path or parameter.
  if (`${parsed.pathname}${parsed.search}${parsed.hash}`.includes("@")) {
    throw new Error(`the store's URL has an @ behind the host; ${ENCODING}`);
  }
  const database = decoded(parsed.pathname.slice(1));
  if (database === "") throw new Error(`the store names no database; ${FORM}; ${ENCODING}`);
  return {
    host: parsed.hostname,
    port: parsed.port === "" ? 3306 : Number(parsed.port),
    user: decoded(parsed.username),
    password: decoded(parsed.password),
    database,
    tls: wantsTls(parsed.searchParams),
  };
}

/** Every client calls this parameter otherwise, so an unknown one may well be meant as TLS: it is not passed over. */
function wantsTls(parameters: URLSearchParams): boolean {
  for (const [name, value] of parameters) {
    const remedy = "write ?ssl=true for TLS, ?ssl=false or nothing to go without";
    if (name !== "ssl") throw new Error(`the store's URL has an unknown parameter, ${JSON.stringify(name)}; ${remedy}`);
    if (value !== "true" && value !== "false") {
      throw new Error(`the store's URL has ssl=${JSON.stringify(value)}; ${remedy}`);
    }
  }
  return parameters.get("ssl") === "true";
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(`the store's URL has a % that begins no code; ${ENCODING}`);
  }
}
