export { addAt, lookUp, randomBank, updateBank, updateMarks } from "./bank.ts";
export { defaultQueueSize, emptyQueue, enqueue, NOBODY, strangers } from "./queue.ts";
