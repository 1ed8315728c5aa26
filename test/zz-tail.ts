import { TailkeepServer } from "./support/tailkeep-server.js";
