export type { DownloadCalls } from "./download.ts";
export { hubRepository } from "./hubRepository.ts";
export { hubCache, type HubId, hubId } from "./place.ts";
