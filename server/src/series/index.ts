export { type CatchUp, type SeriesReader, StoreSeriesReader } from "./series-reader.js";
