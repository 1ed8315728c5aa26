// What a trainer keeps from run to run: counters that all processes add to, and what it has learned of a game.
import { StateStore } from "@tailkeep/client";

interface Intelligence {
  readonly games: number;
  readonly effectiveActions: Readonly<Record<string, number>>;
}

const state = new StateStore();
state.onConflict(({ name, resolution, file }) =>
  console.error(`${name}: ${resolution} won; both sides are in ${file}`),
);

// Adds up over processes, runs and outages; each increment counts once.
await state.globalCounters.increment("total_episodes", 25);
await state.incrementAll("global_counters", { total_actions: 1_200, total_wins: 3 });

// Computed anew if another process writes it meanwhile.
const intelligence = state.actionIntelligence("ls20");
await intelligence.update((before) => {
  const { games, effectiveActions } = (before ?? { games: 0, effectiveActions: {} }) as unknown as Intelligence;
  return { games: games + 1, effectiveActions: { ...effectiveActions, ACTION6: 0.75 } };
});

const { storedIn } = await state.document("learning_state").put({ epsilon: 0.1, layers: [64, 64] });
console.log(`learning_state is in the ${storedIn}`);
console.log(`global_counters: ${JSON.stringify(await state.globalCounters.get())}`);
console.log(`action_intelligence_ls20: ${JSON.stringify(await intelligence.get())}`);
await state.close();
