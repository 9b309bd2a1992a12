export { addAt, lookUp, randomBank, updateBank, updateGroups } from "./bank.ts";
export { defaultQueueSize, emptyQueue, enqueue, NOBODY, strangers } from "./queue.ts";
