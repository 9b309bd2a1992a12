/**
 * Whether classes are so uneven that plain accuracy says little: the largest has at least twice the images of the mean
 * of the others.
 *
 * @param largest its share of the images, 0 to 1
 */
export const isUneven = (largest: number, classes: number): boolean =>
  classes > 1 && largest * (classes - 1) >= 2 * (1 - largest);
