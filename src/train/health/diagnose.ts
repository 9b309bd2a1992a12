import { copiesFound, copiesInTest, measured } from "./accuracyFindings.ts";
import { fact } from "./finding.ts";
import { findings, findingsOfFew, hasFewSteps } from "./findings.ts";
import type { Course, Diagnosis } from "./records.ts";
import { leadOf, type Signs, signsOf, WINDOW } from "./signs.ts";

/** Names of all that a diagnosis may find. */
export const findingNames: readonly string[] = [
  ...new Set([...findings, ...findingsOfFew].map(({ name }) => name)),
];

/** The gravest thing that is wrong with a run, as far as its records tell. Pure. */
export function diagnose(course: Course): Diagnosis {
  const signs = signsOf(course);
  if (signs === undefined) {
    return {
      verdict: "watch",
      finding: "no steps",
      sentence: "No step is done yet.",
      evidence: [],
    };
  }
  const looked = hasFewSteps(signs) ? findingsOfFew : findings;
  const found = looked.flatMap(({ name, verdict, passing, look }): Diagnosis[] => {
    const seen = look(signs);
    return seen === undefined
      ? []
      : [{ verdict, finding: name, ...seen, ...(passing && { passing }) }];
  });
  const gravest = found.find(({ verdict }) => verdict === "broken") ?? found.at(0);
  return gravest === undefined ? healthy(signs) : besideCopies(gravest, course);
}

/** A diagnosis that says of copies among the test images too, as accuracies are read beside whatever else is wrong. */
function besideCopies(diagnosis: Diagnosis, course: Course): Diagnosis {
  const copies = copiesFound(course);
  if (copies === undefined || diagnosis.finding === copiesInTest.name) return diagnosis;
  return {
    ...diagnosis,
    sentence: `${diagnosis.sentence} And ${copies.sentence}`,
    evidence: [...diagnosis.evidence, ...copies.evidence],
  };
}

function healthy(signs: Signs): Diagnosis {
  const { mean, last, course, probe } = signs;
  const evaluated = course.evaluations.at(-1);
  const positive = mean("positiveSimilarity");
  const alignment = positive === undefined ? undefined : 2 - 2 * positive; // squared distance on the sphere
  const figures: [string, number | undefined, string][] = [
    ["loss", mean("loss"), `below ${last.chanceLoss.toFixed(2)}, chance`],
    ["featureStd", mean("featureStd"), "above 0.2; 1 is even"],
    ["lead of positives", leadOf(course.steps.slice(-WINDOW)), "above 0.1"],
    ["alignment", alignment, "below 1; 0 is the same, 2 unrelated"],
    ["uniformity", evaluated?.uniformity, "below -1; 0 is one point"],
    ["queueTurnover", probe?.queueTurnover, "above 0"],
    ["updateRatio", probe?.updateRatio, "below 0.05"],
    ["effectiveRank", evaluated?.effectiveRank, "ten or more"],
  ];
  return {
    verdict: "healthy",
    finding: "healthy",
    sentence: "Nothing that is looked for is wrong.",
    evidence: [
      ...figures.flatMap(([name, value, expected]) =>
        value === undefined ? [] : [fact(name, value, expected)],
      ),
      ...measured(course),
    ],
  };
}
