/** Certificates for tests, made by openssl in a folder of theirs. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whether this machine can make certificates; tests that need some say that they are skipped where it cannot. */
export async function hasOpenssl(): Promise<boolean> {
  return await run("openssl", ["version"]).then(
    () => true,
    () => false,
  );
}

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority, and what it signs. */
export class Authority {
  readonly #folder: string;
  readonly #name: string;
  #count = 0;

  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  static async make(folder: string, name: string): Promise<Authority> {
    const authority = new Authority(folder, name);
    const subject = ["-subj", `/CN=${name}`, "-days", "2", "-addext", "basicConstraints=critical,CA:TRUE"];
    const files = ["-keyout", authority.#file("key"), "-out", authority.certFile];
    await run("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      ...subject,
      ...files,
    ]);
    return authority;
  }

  get certFile(): string {
    return this.#file("crt");
  }

  get cert(): Buffer {
    return readFileSync(this.certFile);
  }

  /** For this machine's loopback address, or a client's name. */
  async sign(commonName: string): Promise<Pair> {
    const name = `${this.#name}-${++this.#count}`;
    const [key, request, cert] = ["key", "csr", "crt"].map((end) => join(this.#folder, `${name}.${end}`)) as [
      string,
      string,
      string,
    ];
    const extensions = join(this.#folder, `${name}.ext`);
    await writeFile(extensions, "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key];
    await run("openssl", ["req", "-new", ...newKey, "-subj", `/CN=${commonName}`, "-out", request]);
    const by = ["-CA", this.certFile, "-CAkey", this.#file("key"), "-CAcreateserial"];
    await run("openssl", ["x509", "-req", "-in", request, ...by, "-days", "2", "-extfile", extensions, "-out", cert]);
    return { cert, key };
  }

  #file(end: string): string {
    return join(this.#folder, `${this.#name}.${end}`);
  }
}

/** Puts a pair where another one is, as a renewal does. */
export async function replacePair(at: Pair, by: Pair): Promise<void> {
  for (const part of ["cert", "key"] as const) {
    await writeFile(`${at[part]}.new`, readFileSync(by[part]));
    await rename(`${at[part]}.new`, at[part]);
  }
}
