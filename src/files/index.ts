export * from "./atomic.ts";
export * from "./atomicFolder.ts";
export { csvLine, readCsv } from "./csv.ts";
export * from "./fileError.ts";
export * from "./jsonLines.ts";
export * from "./safetensors.ts";
export { isShardIndex, readShards, shardFiles } from "./shardedSafetensors.ts";
export type { SafetensorsHeader, TensorEntry } from "./safetensorsHeader.ts";
export { readEvents } from "./eventRecords.ts";
export type { TensorBoardEvent } from "./eventRecords.ts";
export { isLockName, localHolder, lock, type Lock, lockHolder } from "./lock.ts";
export { insideFolder } from "./insideFolder.ts";
export { makeFolder } from "./makeFolder.ts";
export * from "./npy.ts";
export * from "./writeParquet.ts";
export {
  checkParquetSum,
  type ParquetFooter,
  readParquet,
  readParquetColumn,
  readParquetFooter,
} from "./readParquet.ts";
export type { ParquetCell } from "./parquetCells.ts";
export { readParquetTable } from "./parquetTable.ts";
export * from "./pixels.ts";
export * from "./tensorboard.ts";
export * from "./workerUrl.ts";
