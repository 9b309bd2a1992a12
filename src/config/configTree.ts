/** A config as it is written, in a file or as flags: nothing need be said but where the images are. */
export type ConfigTree = { [key: string]: unknown };
