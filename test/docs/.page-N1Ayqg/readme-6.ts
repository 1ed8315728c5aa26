import { StateStore } from "@tailkeep/client";

await using state = new StateStore();
await state.globalCounters.increment("total_episodes");
await state.actionIntelligence("ls20").update((before) => ({ ...(before as object), ACTION6: 0.75 }));
console.log(await state.get("action_intelligence_ls20"));


export {};
