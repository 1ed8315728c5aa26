import { DatabaseBoundedDict, DatabaseBoundedList } from "@tailkeep/client";
const performanceHistory = new DatabaseBoundedList("performance_history", { gameId: "ls20", capacity: 100 });
const triedCoordinates = new DatabaseBoundedDict("coordinate_tracking", { gameId: "ls20", capacity: 500 });

performanceHistory.append({ score: 12, win_rate: 0.5, lr: 0.001 });
triedCoordinates.set("3,4", { success: true });
const recent = performanceHistory.getRecent(10);
await performanceHistory.loadFromDatabase(100);
console.log(recent, triedCoordinates.get("3,4"));


export {};
