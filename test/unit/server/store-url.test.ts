// The URL of a MySQL store: what of it is shown.

import { withoutPassword } from "@tailkeep/server/dist/config/load.js";
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
