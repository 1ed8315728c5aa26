export { Roller } from "./roller.js";
export { type SeriesReader, StoreSeriesReader } from "./series-reader.js";
