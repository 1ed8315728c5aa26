import { getDefaultRecorder, DatabaseBoundedList } from "@tailkeep/client";
const { limits } = getDefaultRecorder();
const actions = new DatabaseBoundedList("action_tracking", { gameId: "ls20" });
for (let taken = 0; taken < limits.current.actionLimits.perGame; taken++) actions.append({ actionType: "ACTION1" });
console.log(actions.length, limits.current.actionLimits.perGame);


export {};
