import { StateStore } from "@tailkeep/client";
const state = new StateStore({ folder: "data" });
const { value } = await state.globalCounters.increment("episodes_of_the_page", 25);
console.log(value);
await state.close();


export {};
