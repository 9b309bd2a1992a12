/**
 * Base of every error thrown on purpose. Anything else that escapes is a bug of ours.
 *
 * The message is one sentence: where, what is, what was expected, with the values in it.
 * `hint` says what the reader can do next; the command line prints it on a line of its own.
 */
export class ContraposeError extends Error {
  override name = "ContraposeError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/** Arrays whose shapes do not fit each other or the function. */
export class ShapeError extends ContraposeError {
  override name = "ShapeError";
}

/** A config value, option or flag that is missing, unknown or out of range. */
export class ConfigError extends ContraposeError {
  override name = "ConfigError";
}

/** Files that are missing, damaged or of another kind than expected. */
export class DataError extends ContraposeError {
  override name = "DataError";
}

/** A device, driver or runtime that is not there or cannot do what was asked. */
export class DeviceError extends ContraposeError {
  override name = "DeviceError";
}

/** A store of vectors that does not answer, or not as it should. */
export class StoreError extends ContraposeError {
  override name = "StoreError";
}
