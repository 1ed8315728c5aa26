/**
 * Certificate and key of the listeners, from files that may be replaced while the server runs. They are looked at every
 * two seconds rather than watched: volumes of containers replace a link above the file, of which a watcher hears nothing.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import type { Clock } from "../base/clock.js";
import { TLS_FILES_POLL_MS } from "../limits.js";

export interface TlsSettings {
  readonly tlsCert: string;
  readonly tlsKey: string;
  /** Signs the certificates that gRPC clients must have; empty: they need none. */
  readonly tlsClientCa: string;
}

export interface TlsEvents {
  /** New files are in use for new connections; until when the certificate is good. */
  replaced(validTo: string): void;
  /** What lies there now cannot be used; the files before go on. */
  refused(error: unknown): void;
}

/** What cannot be listened with, with the remedy. */
export class TlsError extends Error {
  override readonly name = "TlsError";
}

const MIN_VERSION = "TLSv1.2";

function read(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new TlsError(
      `${setting}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); name a readable file`,
    );
  }
}

interface Files {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | undefined;
}

function sameFiles(one: Files, other: Files): boolean {
  const sameCa = one.clientCa === undefined || (other.clientCa !== undefined && one.clientCa.equals(other.clientCa));
  return sameCa && one.cert.equals(other.cert) && one.key.equals(other.key);
}

/** The key's text never becomes part of a message: of OpenSSL's words only the code is passed on. */
function checked({ cert, key, clientCa }: Files, { tlsCert, tlsKey, tlsClientCa }: TlsSettings): SecureContextOptions {
  const ca = clientCa === undefined ? {} : { ca: clientCa };
  const options: SecureContextOptions = { cert, key, minVersion: MIN_VERSION, ...ca };
  try {
    createSecureContext(options);
    if (clientCa !== undefined) new X509Certificate(clientCa);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "no PEM";
    const files = clientCa === undefined ? `${tlsCert} and ${tlsKey}` : `${tlsCert}, ${tlsKey} and ${tlsClientCa}`;
    throw new TlsError(
      `${files} cannot be used together (${code}); they must be PEM, and the key the certificate's own`,
    );
  }
  return options;
}

export class TlsFiles {
  readonly #settings: TlsSettings;
  readonly #listeners = new Set<() => void>();
  #files: Files;
  #options: SecureContextOptions;
  #problem: string | undefined;

  /** @throws TlsError */
  constructor(settings: TlsSettings) {
    this.#settings = settings;
    this.#files = this.#read();
    this.#options = checked(this.#files, settings);
  }

  /** Of gRPC: with the authority of clients, where they need a certificate. */
  get options(): SecureContextOptions {
    return this.#options;
  }

  /** Of HTTP: whoever scrapes or probes needs no certificate. */
  get optionsWithoutClients(): SecureContextOptions {
    const { ca: _, ...options } = this.#options;
    return options;
  }

  get asksClients(): boolean {
    return this.#files.clientCa !== undefined;
  }

  get validTo(): string {
    return new X509Certificate(this.#files.cert).validTo;
  }

  /** Calls `listener` after each replacement. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Until aborted: puts new files into use. */
  async keep(signal: AbortSignal, clock: Clock, events: TlsEvents): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(TLS_FILES_POLL_MS, signal);
      if (!signal.aborted) this.#look(events);
    }
  }

  #look(events: TlsEvents): void {
    try {
      const files = this.#read();
      if (!sameFiles(this.#files, files)) {
        this.#options = checked(files, this.#settings);
        this.#files = files;
        for (const listener of this.#listeners) listener();
        events.replaced(this.validTo);
      }
      this.#problem = undefined;
    } catch (error) {
      const problem = String(error);
      // Between writing one file and the other they do not fit; that is said once, and not at all if it is over soon.
      if (problem !== this.#problem) events.refused(error);
      this.#problem = problem;
    }
  }

  #read(): Files {
    const { tlsCert, tlsKey, tlsClientCa } = this.#settings;
    return {
      cert: read("TAILKEEP_TLS_CERT", tlsCert),
      key: read("TAILKEEP_TLS_KEY", tlsKey),
      clientCa: tlsClientCa === "" ? undefined : read("TAILKEEP_TLS_CLIENT_CA", tlsClientCa),
    };
  }
}

/** The files as grpc-js takes them, which then hears of every replacement. */
export class TlsCredentials extends ServerCredentials {
  constructor(files: TlsFiles) {
    super({ requestCert: files.asksClients, rejectUnauthorized: true }, files.options);
    files.onChange(() => this.updateSecureContextOptions(files.options));
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Undefined where no TLS is asked for. @throws TlsError where only half of it is */
export function tlsFiles(settings: TlsSettings): TlsFiles | undefined {
  const { tlsCert, tlsKey, tlsClientCa } = settings;
  if (tlsCert === "" && tlsKey === "" && tlsClientCa === "") return undefined;
  if (tlsCert === "" || tlsKey === "") {
    throw new TlsError("TAILKEEP_TLS_CERT and TAILKEEP_TLS_KEY belong together; set both, or neither and no client CA");
  }
  return new TlsFiles(settings);
}
