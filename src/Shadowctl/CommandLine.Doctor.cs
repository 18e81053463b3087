using System.CommandLine;

namespace Shadowctl;

/// <summary>The commands about the installation: what is wrong with it, and completion in a shell.</summary>
internal sealed partial class CommandLine
{
    private Command Doctor()
    {
        var command = new Command(
            "doctor", "Checks connections, roles, grants, poolers, versions, clocks and replicas, and says what to do: 0 if nothing, "
                + "else 2.");
        command.SetAction((parsed, token) => AskAsync(
            parsed, "doctor", Lines.Doctor,
            answer => Tables.Items(answer["checks"]).All(check => (string?)check["state"] == "ok") ? ExitCodes.Ok : ExitCodes.Hold, token));
        return command;
    }

    private Command Completion()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Prints what makes a shell complete: eval \"$(shadowctl completion bash)\"") { shell };
        command.SetAction(async (parsed, _) =>
        {
            await _output.WriteLineAsync(parsed.GetRequiredValue(shell) switch
            {
                "bash" => """
                    _shadowctl() {
                        local IFS=$'\n' words
                        words=$(shadowctl "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
                        COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
                    }
                    complete -F _shadowctl shadowctl
                    """,
                "zsh" => """
                    _shadowctl() {
                        compadd -- ${(f)"$(shadowctl "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)"}
                    }
                    compdef _shadowctl shadowctl
                    """,
                _ => """
                    complete -f -c shadowctl -a '(shadowctl "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
                    """,
            });
            return ExitCodes.Ok;
        });
        return command;
    }
}
