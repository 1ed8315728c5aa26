/** The charts' questions. */
import type { Route } from "./ask.js";

export const seriesRoutes: Readonly<Record<string, Route>> = {};
