/** Shell completion of a tree of commands: their names, their options and, where they are few, the values of these. */
import type { Command, Option } from "commander";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Node {
  /** Words behind the program's name: `config show`. */
  readonly words: readonly string[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly Option[];
  /** Arguments that may only be one of these. */
  readonly choices: readonly string[];
}

export function completionScript(shell: Shell, program: Command): string {
  const nodes = nodesOf(program, []);
  const name = program.name();
  return SCRIPTS[shell](name, nodes);
}

function nodesOf(command: Command, words: readonly string[]): Node[] {
  const node: Node = {
    words,
    commands: command.commands.map((each) => ({ name: each.name(), description: each.description() })),
    options: command.options.filter((option) => !option.hidden),
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  };
  return [node, ...command.commands.flatMap((each) => nodesOf(each, [...words, each.name()]))];
}

const SCRIPTS: Record<Shell, (name: string, nodes: readonly Node[]) => string> = { bash, zsh, fish };

function flagsOf(option: Option): string[] {
  return [option.short, option.long].filter((flag) => flag != null);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

/** Files are offered wherever nothing better is known. */
function bash(name: string, nodes: readonly Node[]): string {
  const cases = nodes.map(({ words, commands, options, choices }) => {
    const all = [...commands.map((each) => each.name), ...choices, ...options.flatMap(flagsOf), "--help"];
    return `    ${quoted(words.join(" "))}) words=${quoted(all.join(" "))} ;;`;
  });
  const values = nodes.flatMap(({ words, options }) =>
    options
      .filter((option) => option.argChoices !== undefined)
      .flatMap((option) => flagsOf(option).map((flag) => ({ words, flag, choices: option.argChoices ?? [] })))
      .map(
        (each) => `    ${quoted([...each.words, each.flag].join(" "))}) values=${quoted(each.choices.join(" "))} ;;`,
      ),
  );
  const known = nodes.filter(({ words }) => words.length > 0).map(({ words }) => quoted(words.join(" ")));
  return `# Completion of ${name} for bash.
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command= words= values= longer= at
  for ((at = 1; at < COMP_CWORD; at++)); do
    longer="\${command:+$command }\${COMP_WORDS[at]}"
    case $longer in
      ${known.join(" | ")}) command=$longer ;;
    esac
  done
  case "\${command:+$command }$previous" in
${values.join("\n") || "    *) ;;"}
  esac
  if [[ -n $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    return
  fi
  case $command in
${cases.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _${name} ${name}
`;
}

function zsh(name: string, nodes: readonly Node[]): string {
  const functions = nodes.map(({ words, commands, options, choices }) => {
    const specs = options.map((option) => {
      const flags = flagsOf(option);
      const value = takesValue(option) ? `:value:${valuesOf(option)}` : "";
      const text = `[${option.description.replaceAll(/[[\]:\\]/g, "\\$&")}]${value}`;
      return flags.length === 1 ? quoted(`${flags[0]}${text}`) : `{${flags.join(",")}}${quoted(text)}`;
    });
    const rest =
      commands.length > 0
        ? [quoted(`1:command:((${commands.map((each) => zshChoice(each)).join(" ")}))`), quoted("*::argument:->next")]
        : [quoted(choices.length > 0 ? `1:value:(${choices.join(" ")})` : "*:file:_files")];
    const next = commands.map((each) => `    ${each.name}) ${functionName(name, [...words, each.name])} ;;`);
    return `${functionName(name, words)}() {
  local state line
  _arguments -C ${[...specs, quoted("--help[how to use it]"), ...rest].join(" \\\n    ")}
${next.length === 0 ? "" : `  [[ $state == next ]] && case $line[1] in\n${next.join("\n")}\n  esac\n`}}`;
  });
  return `#compdef ${name}
# Completion of ${name} for zsh.
${functions.join("\n")}
compdef ${functionName(name, [])} ${name}
`;
}

function zshChoice({ name, description }: { readonly name: string; readonly description: string }): string {
  return `${name}\\:${description.replaceAll(/[^\p{L}\p{N}]/gu, "\\$&")}`;
}

function functionName(name: string, words: readonly string[]): string {
  return ["", name, ...words].join("_");
}

function valuesOf(option: Option): string {
  if (option.argChoices !== undefined) return `(${option.argChoices.join(" ")})`;
  return /file|directory/.test(option.flags) ? "_files" : " ";
}

function fish(name: string, nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ words, commands, options, choices }) => {
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const deeper = commands.map((each) => each.name);
    const unseen = deeper.length > 0 ? [`not __fish_seen_subcommand_from ${deeper.join(" ")}`] : [];
    const here = (conditions: readonly string[]) =>
      conditions.length === 0 ? "" : ` -n ${quoted(conditions.join("; and "))}`;
    return [
      ...commands.map(
        (each) => `complete -c ${name}${here([...seen, ...unseen])} -f -a ${each.name} -d ${quoted(each.description)}`,
      ),
      ...choices.map((choice) => `complete -c ${name}${here(seen)} -f -a ${choice}`),
      ...options.map((option) => {
        const short = option.short == null ? "" : ` -s ${option.short.slice(1)}`;
        const long = option.long == null ? "" : ` -l ${option.long.slice(2)}`;
        const value = !takesValue(option)
          ? ""
          : option.argChoices === undefined
            ? " -r"
            : ` -x -a ${quoted(option.argChoices.join(" "))}`;
        return `complete -c ${name}${here([...seen, ...unseen])}${short}${long}${value} -d ${quoted(option.description)}`;
      }),
    ];
  });
  return `# Completion of ${name} for fish.\n${lines.join("\n")}\n`;
}

/** For any shell: in single quotes, each of which inside ends them, is escaped, and begins them again. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
