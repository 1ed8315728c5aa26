// `npm run package [-- FOLDER]`: the tarballs of @tailkeep/proto and @tailkeep/client, ready to be published or
// installed, in FOLDER or in dist/.
import { resolve } from "node:path";
import { packAll } from "./pack.js";

for (const tarball of packAll(resolve(process.argv[2] ?? "dist"))) console.log(tarball);
