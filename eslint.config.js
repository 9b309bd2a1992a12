import tseslint from "typescript-eslint";

export default tseslint.config(
  {
    ignores: [
      "dist*/**",
      "node_modules/**",
      "coverage/**",
      "studio/**",
      "scripts/**",
      "kernels/**",
      "bench/*.mjs",
      "examples/**/*.mjs",
      "examples/**/*.js",
      "*.js",
      "*.cjs",
    ],
  },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/restrict-template-expressions": "off",
      "@typescript-eslint/require-await": "off",
      "max-lines": ["error", { max: 320, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      "max-params": ["error", 5],
      complexity: ["error", 16],
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        {
          selector: "ObjectExpression > SpreadElement > ObjectExpression",
          message:
            "write the properties themselves: a spread literal switches off the check for excess ones",
        },
        {
          selector: "TSAsExpression > TSAsExpression[typeAnnotation.type='TSUnknownKeyword']",
          message:
            "`as unknown as` stands at a border only, where the types of a library or a file end: say which",
        },
      ],
    },
  },
  {
    files: ["src/cli/**", "bench/**", "examples/**"],
    rules: { "no-console": "off" },
  },
  {
    files: ["**/*.test.ts", "test/**", "bench/**"],
    rules: {
      "max-lines": "off",
      "max-lines-per-function": "off",
      complexity: "off",
      "max-params": "off",
      "no-restricted-syntax": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
);
