using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Ticketing.Demo.Faults;

namespace Ticketing.Demo;

/// <summary>The command line.</summary>
internal sealed class DemoCommand
{
    /// <summary>The exit code of a wrong command line, as sysexits.h names it.</summary>
    public const int ExitOfUsage = 64;

    private readonly FaultRegistry _registry;
    private readonly Option<int> _port = new("--port")
    {
        Description = "The port of the service on 127.0.0.1; 0 takes a free one.",
        HelpName = "N",
        DefaultValueFactory = _ => 5080,
    };

    private readonly Option<int> _tickets = new("--tickets")
    {
        Description = "How many tickets the database starts with, 1000 to 1000000.",
        HelpName = "N",
        DefaultValueFactory = _ => 5000,
    };

    private readonly Option<double> _rate = new("--rate")
    {
        Description = "Requests a second, 1 to 5000.",
        HelpName = "N",
        DefaultValueFactory = _ => 50,
    };

    private readonly Option<int?> _for = new("--for")
    {
        Description = "Stop everything after so many seconds of traffic and exit 0; without it, Ctrl-C stops.",
        HelpName = "SECONDS",
    };

    private readonly Option<FaultChoice[]> _fault = new("--fault")
    {
        Description =
            "Plant a fault into the candidate, in a share of the answers that it fits (RATE, above 0 to 1; all by default). May be "
                + "repeated.",
        HelpName = "NAME[:RATE]",
    };

    private readonly Option<bool> _faults = new("--faults") { Description = "Print the names of the faults, one a line, and exit." };

    private readonly Option<FileInfo?> _report =
        new("--report") { Description = "Write the final status there, as JSON.", HelpName = "FILE" };

    private readonly Option<FileInfo?> _access = new("--access")
    {
        Description = "Write address, tokens and connection string there, as JSON for you alone, once the service is ready.",
        HelpName = "FILE",
    };

    private readonly Option<int> _replicas = new("--replicas")
    {
        Description = "How many services share the database and the traffic, 1 to 5; each on a port of its own, from --port on.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<string> _policy = new("--policy")
    {
        Description = "By which policy the gate decides: default, or demo, whose weak numbers a few minutes of traffic pass.",
        HelpName = "default|demo",
        DefaultValueFactory = _ => "default",
    };

    private readonly Option<string> _firstStage = new("--first-stage")
    {
        Description = "Where every operation begins: off, shadow-1, shadow-10 or shadow-100.",
        HelpName = "STAGE",
        DefaultValueFactory = _ => "shadow-100",
    };

    private readonly Option<int> _faultAfter = new("--fault-after")
    {
        Description = "Let faults act only after so many seconds of traffic.",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 0,
    };

    private readonly RootCommand _root;

    public DemoCommand(FaultRegistry registry)
    {
        _registry = registry;
        Within(_port, 0, 65_535);
        Within(_tickets, 1_000, 1_000_000);
        Within(_rate, 1, 5_000);
        Within(_for, 1, 31_536_000);
        Within(_replicas, 1, 5);
        Within(_faultAfter, 0, 31_536_000);
        _policy.AcceptOnlyFromAmong("default", "demo");
        _firstStage.AcceptOnlyFromAmong("off", "shadow-1", "shadow-10", "shadow-100");
        InFolder(_report);
        InFolder(_access);
        _fault.CustomParser = ParseFaults;
        _root = new("The ticketing service in shadow, on a PostgreSQL of its own and under traffic. Nothing is left behind when it stops.")
        {
            _port, _tickets, _rate, _for, _fault, _faultAfter, _faults, _replicas, _policy, _firstStage, _report, _access,
        };
    }

    /// <summary>Runs what was asked for.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> InvokeAsync(
        string[] args, Func<DemoOptions, CancellationToken, Task<int>> run, TextWriter output, TextWriter error, CancellationToken stop)
    {
        var parsed = _root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var wrong in parsed.Errors) await error.WriteLineAsync(wrong.Message);
            await error.WriteLineAsync("--help lists the options.");
            return ExitOfUsage;
        }

        _root.SetAction(async (result, cancellationToken) =>
        {
            if (!result.GetValue(_faults)) return await run(Options(result), cancellationToken);
            foreach (var fault in _registry.All) await output.WriteLineAsync(fault.Name);
            return 0;
        });
        // Signals are ours to handle: it would give the demo two seconds to stop, and the exit code of a failure.
        return await parsed.InvokeAsync(
            new() { Output = output, Error = error, ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }, stop);
    }

    private DemoOptions Options(ParseResult result) => new(
        result.GetValue(_port),
        result.GetValue(_tickets),
        result.GetValue(_rate),
        result.GetValue(_for) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        result.GetValue(_fault) ?? [],
        result.GetValue(_report),
        result.GetValue(_access),
        result.GetValue(_replicas),
        result.GetValue(_policy)!,
        result.GetValue(_firstStage)!,
        TimeSpan.FromSeconds(result.GetValue(_faultAfter)));

    private static void Within<T>(Option<T> option, double least, double most) => option.Validators.Add(result =>
    {
        if (result.Tokens.Count == 0 || result.Errors.Any()) return;
        if (!double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value)) return;
        if (!(value >= least && value <= most))
            result.AddError($"{option.Name} {result.Tokens[0].Value}: it must be from {least} to {most}.");
    });

    private static void InFolder(Option<FileInfo?> option) => option.Validators.Add(result =>
    {
        if (result.Tokens is not [var token]) return;
        var path = Path.GetFullPath(token.Value);
        if (Directory.Exists(path)) result.AddError($"{option.Name} {token.Value}: it is a directory.");
        else if (!Directory.Exists(Path.GetDirectoryName(path))) result.AddError(
            $"{option.Name} {token.Value}: its directory does not exist.");
    });

    private FaultChoice[] ParseFaults(ArgumentResult result)
    {
        var choices = new List<FaultChoice>();
        foreach (var text in result.Tokens.Select(token => token.Value))
        {
            var (name, share) = text.Split(':', 2) is [var before, var after] ? (before, after) : (text, "1");
            if (_registry.Find(name) is not { } fault) result.AddError($"--fault {text}: there is no fault '{name}'; --faults lists them.");
            else if (!double.TryParse(share, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate) || !(rate > 0 && rate <= 1))
                result.AddError($"--fault {text}: the rate '{share}' must be above 0 and at most 1.");
            else if (choices.Any(choice => choice.Fault == fault)) result.AddError($"--fault {text}: '{name}' is given twice.");
            else choices.Add(new(fault, rate));
        }

        return [.. choices];
    }
}
