import { describe, expect, test } from "vitest";

import { ConfigError } from "../core/errors.ts";
import { fileName, fileUnder, makeArms, withArm } from "./arms.ts";
import { parseBudget, parseSeeds, splitList } from "./lists.ts";

const names = (sources: Parameters<typeof makeArms>[0]) =>
  makeArms(sources).map(({ name }) => name);

describe("lists", () => {
  test("split at commas that stand outside brackets and quotes", () => {
    expect(splitList("0.1, 0.2")).toEqual(["0.1", "0.2"]);
    expect(splitList('[1,1],{"a":[2,3]},"x,y"')).toEqual(["[1,1]", '{"a":[2,3]}', '"x,y"']);
  });

  test("seeds are a number of them or a list", () => {
    expect(parseSeeds("3")).toEqual([0, 1, 2]);
    expect(parseSeeds("4, 0,7")).toEqual([4, 0, 7]);
    for (const wrong of ["", "x", "1.5", "-1", "0", "101", "1,,2", "1,1", "0,4294967296"]) {
      expect(() => parseSeeds(wrong), wrong).toThrow(ConfigError);
    }
  });

  test("a budget is a time with its unit", () => {
    expect(["90s", "10m", "1.5h", "1h30m", "1 h"].map(parseBudget)).toEqual([
      90, 600, 5400, 5400, 3600,
    ]);
    for (const wrong of ["10", "", "m", "0s", "-5m", "10 minutes", "1d"]) {
      expect(() => parseBudget(wrong), wrong).toThrow(ConfigError);
    }
  });
});

describe("arms", () => {
  test("are methods, files, and their product with grids", () => {
    expect(names({ methods: "simclr,hcl" })).toEqual(["simclr", "hcl"]);
    const configs = [
      { path: "some/plain.yaml", tree: {} },
      { path: "ours.v2.json", tree: {} },
    ];
    expect(names({ methods: "fnc", configs })).toEqual(["fnc", "plain", "ours.v2"]);
    const over = ["loss.temperature=0.1,0.5"];
    const grid = ["loss.temperature=0.1", "loss.temperature=0.5"];
    expect(names({ over })).toEqual(grid);
    expect(names({ methods: "hcl", over })).toEqual(grid);
    expect(names({ methods: "simclr,hcl", over })).toEqual([
      ...grid.map((value) => `simclr ${value}`),
      ...grid.map((value) => `hcl ${value}`),
    ]);
    expect(names({ over: [...over, "encoder.blocks=[1,1],[2,2]"] })).toHaveLength(4);
  });

  test("that are unknown, twice, alone or no list are refused", () => {
    expect(() => makeArms({ methods: "simclr,hlc" })).toThrow('"hlc" is no method');
    expect(() => makeArms({ methods: "simclr,simclr" })).toThrow("given twice");
    expect(() => makeArms({ methods: "simclr", over: ["batchSize=8,8"] })).toThrow("given twice");
    for (const sources of [{}, { methods: "simclr" }, { over: ["loss.temperature=1"] }]) {
      expect(() => makeArms(sources)).toThrow("nothing to compare");
    }
    for (const over of ["seed=0,1", "method=simclr,hcl", "minutes=1,2"]) {
      expect(() => makeArms({ over: [over] }), over).toThrow("decides for all runs");
    }
    for (const over of ["temperature", "=1,2", "a=1,,2", "a="]) {
      expect(() => makeArms({ over: [over] }), over).toThrow("no path=values");
    }
  });

  test("bring their method's parts in place of the base's, and keep its other settings", () => {
    const base = { method: "simclr", loss: { name: "infoNce", temperature: 0.3 }, batchSize: 8 };
    const [simclr, hcl] = makeArms({ methods: "simclr,hcl" });
    expect(fileUnder(base, simclr)).toMatchObject({ method: "simclr", loss: { temperature: 0.3 } });
    expect(fileUnder(base, hcl)).toEqual({ method: "hcl", batchSize: 8 });
    expect(() => withArm({ loss: { name: "infoNce" } }, hcl)).toThrow("hcl would no longer be hcl");
    const [low] = makeArms({ methods: "hcl", over: ["loss.beta=0.5,1"] });
    expect(withArm({ batchSize: 8 }, low)).toEqual({
      method: "hcl",
      batchSize: 8,
      loss: { beta: 0.5 },
    });
  });

  test("have names that files can have", () => {
    expect(fileName("simclr loss.temperature=0.1")).toBe("simclr-loss.temperature=0.1");
    expect(fileName("../a/b")).toBe("a-b");
    expect(fileName("***")).toBe("arm");
  });
});
