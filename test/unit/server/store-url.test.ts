// The URL of a MySQL store: what of it is shown, and what it may say.

import { parseMysqlUrl } from "@tailkeep/server/dist/base/mysql-url.js";
import { ConfigError, loadConfig, withoutPassword } from "@tailkeep/server/dist/config/load.js";
import { describe, expect, test } from "vitest";

describe("the password is not shown", () => {
  test.each([
    "secret",
    "se@ret",
    "@",
    "se@re@t@",
    "se/ret",
    "12/34",
    "se:ret",
    "se?r=e&t#",
    "se//ret:@x/y",
    "%40%2F",
    "se\nret",
    "",
  ])("%j", (password) => {
    for (const user of ["u", "", "u@x"]) {
      expect(withoutPassword(`mysql://${user}:${password}@db.example:3306/tk?ssl=true`)).toBe(
        `mysql://${user}:***@db.example:3306/tk?ssl=true`,
      );
    }
  });

  test.each(["mysql://u@h:3306/tk", "mysql://h/tk", "mysql://[::1]:3306/tk", "sqlite:/a:b@c/tailkeep.db"])(
    "%s has none",
    (store) => expect(withoutPassword(store)).toBe(store),
  );
});

test("a URL says where the database is", () => {
  expect(parseMysqlUrl("mysql://u:p%2F@ss%25@db:3307/t%2Fk?ssl=true")).toEqual({
    host: "db",
    port: 3307,
    user: "u",
    password: "p/@ss%",
    database: "t/k",
    tls: true,
  });
  expect(parseMysqlUrl("mysql://db/tk?ssl=false")).toMatchObject({ port: 3306, user: "", password: "", tls: false });
  expect(parseMysqlUrl("mysql://db/tk")).toMatchObject({ tls: false });
});

test.each([
  ["?ssl=1", 'ssl="1"'],
  ["?ssl=TRUE", 'ssl="TRUE"'],
  ["?ssl", 'ssl=""'],
  ["?tls=true", '"tls"'],
  ["?ssl-mode=REQUIRED", '"ssl-mode"'],
  ["?ssl=true&charset=utf8", '"charset"'],
])("%s is refused, with what to write", (parameters, named) => {
  const parse = () => parseMysqlUrl(`mysql://u:hunter2@db/tk${parameters}`);
  expect(parse).toThrow(named);
  expect(parse).toThrow("write ?ssl=true for TLS");
  expect(parse).not.toThrow(/hunter2|\n/);
  const load = () => loadConfig({}, { TAILKEEP_STORE: `mysql://u:hunter2@db/tk${parameters}` });
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(/^TAILKEEP_STORE: [^\n]*; see: tailkeep config --help$/);
});

test.each(["12/34", "se/cret", "12?secret=1", "12/3?secret=1", "12#3", "12/3#4", "50%"])(
  "the password %s is refused where it stands unencoded, and not repeated",
  (password) => {
    const parse = () => parseMysqlUrl(`mysql://u:${password}@db/tk`);
    expect(parse).toThrow("%2F for /");
    expect(parse).not.toThrow(new RegExp(`secret|12|34|50|${password.replace("?", "\\?")}|\n`));
  },
);
