export { checkPart } from "./checkPart.ts";
export { type GivenPairs, type GivenScene, sample, type SampledRows } from "./scene.ts";
