/** The few statements the test support itself needs. */
import { randomBytes } from "node:crypto";
import mysql from "mysql2/promise";
import type { DatabaseKind } from "./types.js";

export async function withConnection<T>(url: string, use: (connection: mysql.Connection) => Promise<T>): Promise<T> {
  const connection = await mysql.createConnection({ uri: url, connectTimeout: 5_000 });
  try {
    return await use(connection);
  } finally {
    connection.destroy();
  }
}

export async function askVersion(url: string): Promise<string> {
  return await withConnection(url, async (connection) => {
    const [rows] = await connection.query<mysql.RowDataPacket[]>("SELECT VERSION() AS version");
    return String(rows[0]?.["version"]);
  });
}

export function kindOfVersion(version: string): DatabaseKind {
  return /mariadb/i.test(version) ? "mariadb" : "mysql";
}

export function urlWithDatabase(baseUrl: string, database = ""): string {
  const url = new URL(baseUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Databases that one user of a server made, and drops at the end. */
export class OwnDatabases {
  private readonly names = new Set<string>();

  private readonly serverUrl: string;

  constructor(serverUrl: string) {
    this.serverUrl = serverUrl;
  }

  async create(name = `tailkeep_test_${randomBytes(6).toString("hex")}`): Promise<string> {
    await withConnection(this.serverUrl, async (connection) => {
      await connection.query(`CREATE DATABASE ${mysql.escapeId(name)} CHARACTER SET utf8mb4`);
    });
    this.names.add(name);
    return name;
  }

  async dropAll(): Promise<void> {
    const names = [...this.names];
    this.names.clear();
    if (names.length === 0) return;
    await withConnection(this.serverUrl, async (connection) => {
      for (const name of names) await connection.query(`DROP DATABASE IF EXISTS ${mysql.escapeId(name)}`);
    });
  }
}
