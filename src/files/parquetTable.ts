import { DataError } from "../core/errors.ts";
import { quoted } from "../core/quote.ts";
import type { ParquetCell } from "./parquetCells.ts";
import { checkParquetSum, readParquet } from "./readParquet.ts";
import { cellFits, type ParquetColumn } from "./writeParquet.ts";

/**
 * Rows of a Parquet file that must have such columns, as `writeParquet` writes them. Throws `DataError` where
 * one is missing or holds something else.
 */
export async function readParquetTable(
  path: string,
  columns: readonly ParquetColumn[],
): Promise<Record<string, ParquetCell>[]> {
  const rows = await readParquet(path, { columns: columns.map(({ name }) => name) });
  for (const [at, row] of rows.entries()) {
    for (const column of columns) {
      if (cellFits(row[column.name], column)) continue;
      throw new DataError(
        `${quoted(path)}: row ${at}, column ${quoted(column.name)} is ${quoted(row[column.name], 40)}, expected ${column.type}`,
      );
    }
  }
  await checkParquetSum(path);
  return rows;
}
