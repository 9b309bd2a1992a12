/** Environment variable with the process that a call of contrapose belongs to, and ends with. */
export const PARENT = "CONTRAPOSE_PARENT";
