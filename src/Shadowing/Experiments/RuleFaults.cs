using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Shadowing.Supervision;

namespace Shadowing.Experiments;

/// <summary>How often a rule of the application has thrown on this replica.</summary>
/// <param name="Rule">A member of <see cref="Experiment"/>, or of <see cref="Comparison.ComparisonRules"/> after its member's name.</param>
/// <param name="Error">The type of the latest exception; its message may quote a request and is not kept.</param>
public sealed record RuleFault(string Operation, string Rule, string Error, long Count)
{
    /// <summary>What an operator is told. Without the count, or each fault would be another finding.</summary>
    public Finding ToFinding() => new(Finding.Warning, Operation, Rule == RuleFaults.NotRegistered
        ? "It is not registered with AddShadowing: the control answers, and nothing is compared."
        : $"Its rule {Rule} has thrown {Error}: what it was asked about is treated as doubtful.");
}

/// <summary>
/// Asks the rules that an application declares, which are code and may throw. Each caller names the answer that stands where the rule
/// throws: always the one on the side of doubt. Faults are counted, and logged once for each experiment and rule. Safe for concurrent use.
/// </summary>
public sealed partial class RuleFaults
{
    /// <summary>The name under which requests of an experiment that is not registered are counted.</summary>
    public const string NotRegistered = "not registered";

    private const int MostFaults = 1_000;

    private readonly ConcurrentDictionary<(string Operation, string Rule), RuleFault> _faults = [];
    private readonly ILogger<RuleFaults> _logger;

    internal RuleFaults(ILogger<RuleFaults> logger) => _logger = logger;

    /// <summary>What has thrown since the start, by operation and rule.</summary>
    public IReadOnlyList<RuleFault> All =>
    [
        .. _faults.Values
            .OrderBy(fault => fault.Operation, StringComparer.Ordinal).ThenBy(fault => fault.Rule, StringComparer.Ordinal),
    ];

    /// <returns>Null where the rule throws.</returns>
    internal string? ShapeOf<TStore, TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request) =>
        Ask<TRequest, string?>(experiment, nameof(experiment.Shape), experiment.Shape, request, null);

    /// <summary>Who asks.</summary>
    /// <returns>Null where the rule throws.</returns>
    internal long? UserOf<TStore, TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request) =>
        TryAsk(experiment, nameof(experiment.UserOf), experiment.UserOf, request, out var user) ? user : null;

    /// <returns>Null where the request names no row, or the rule throws.</returns>
    internal long? SubjectOf<TStore, TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TRequest request) =>
        Ask(experiment, nameof(experiment.SubjectOf), experiment.SubjectOf, request, null);

    /// <returns>Null where the write made no row, or the rule throws.</returns>
    internal long? CreatedOf<TStore, TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment, TResult result) =>
        Ask(experiment, nameof(experiment.CreatedOf), experiment.CreatedOf, result, null);

    /// <param name="otherwise">The answer where the rule throws.</param>
    internal T Ask<TAbout, T>(Experiment experiment, string name, Func<TAbout, T> rule, TAbout about, T otherwise) =>
        TryAsk(experiment, name, rule, about, out var answer) ? answer : otherwise;

    /// <returns>Whether the rule has answered.</returns>
    internal bool TryAsk<TAbout, T>(Experiment experiment, string name, Func<TAbout, T> rule, TAbout about, out T answer)
    {
        try
        {
            answer = rule(about);
            return true;
        }
#pragma warning disable CA1031 // The application's own code may throw anything, and must fail neither the request nor its comparison.
        catch (Exception fault)
        {
            Note(experiment.Operation, name, fault);
            answer = default!;
            return false;
        }
#pragma warning restore CA1031
    }

    internal void Note(string operation, string rule, Exception fault)
    {
        var error = fault.GetType().Name;
        var noted = _faults.AddOrUpdate(
            (operation, rule), static (key, error) => new(key.Operation, key.Rule, error, 1),
            static (_, known, error) => known with { Error = error, Count = known.Count + 1 }, error);
        if (noted.Count == 1) LogFault(operation, rule, fault.GetType().FullName ?? error, fault.StackTrace ?? "");
    }

    /// <summary>A request of an experiment that is not registered was made.</summary>
    internal void NoteUnregistered(string operation)
    {
        // The name is the caller's; as many as no application has are not kept.
        if (_faults.Count >= MostFaults) return;
        var noted = _faults.AddOrUpdate(
            (operation, NotRegistered), static key => new(key.Operation, key.Rule, "", 1),
            static (_, known) => known with { Count = known.Count + 1 });
        if (noted.Count == 1) LogUnregistered(operation);
    }

    [LoggerMessage(36, LogLevel.Error,
        "The rule {Rule} of {Operation} threw {Fault}: what it was asked about is treated as doubtful. Later ones are only counted. "
        + "{Stack}")]
    private partial void LogFault(string operation, string rule, string fault, string stack);

    [LoggerMessage(37, LogLevel.Error,
        "{Operation} is not registered with AddShadowing: the control answers, and nothing is compared. Later ones are only counted.")]
    private partial void LogUnregistered(string operation);
}
