/** `tailkeep completion`: a script for the shell, made from the commands themselves. */
import { Argument, type Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion.js";

const EXAMPLES = `
Examples:
  source <(tailkeep completion bash)       # in ~/.bashrc
  source <(tailkeep completion zsh)        # in ~/.zshrc, after compinit
  tailkeep completion fish | source        # in ~/.config/fish/config.fish`;

export function registerCompletion(program: Command): void {
  program
    .command("completion")
    .description("print a script that completes commands and options in a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .addHelpText("after", EXAMPLES)
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, program));
    });
}
