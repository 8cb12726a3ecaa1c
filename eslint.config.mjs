import js from "@eslint/js";
import tseslint from "typescript-eslint";

const pulumiPackages = ["@pulumi/*", "@pulumi/*/**"];

/** What a room may import; the arrows run config → plan → components → scripts, never back. */
function room(files, ...patterns) {
  return { files, rules: { "no-restricted-imports": ["error", { patterns }] } };
}

export default tseslint.config(
  { ignores: ["node_modules/", "out/", "backups/", ".triad/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "max-lines": ["error", 250],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportDefaultDeclaration", message: "Name what is exported." },
      ],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers and booleans read well in a text; objects and Outputs do not.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      // An interface may ask for a promise that an implementation has no need to wait for.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-confusing-void-expression": "off",
      // `as const` is welcome; any other assertion has to be argued for where it stands.
      "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "never" }],
      // The Kubernetes client types plain objects as classes.
      "@typescript-eslint/no-misused-spread": "off",
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
      ],
    },
  },
  room(["config/**", "observe/**", "ssh/**"], {
    group: ["@pulumi/command", "@pulumi/command/**", "../components/*", "../plan/../components/*"],
    message: "Only components/ makes resources.",
  }),
  room(["plan/**"], {
    group: [...pulumiPackages, "../components/*", "../observe/*", "../acts/*"],
    message: "The plan is a pure value: no Pulumi, no effects.",
  }),
  {
    files: ["tests/**/*.ts", "lab/specs/**/*.ts"],
    rules: {
      // What a test parses it also checks; a wrong guess fails the test.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
    },
  },
);
