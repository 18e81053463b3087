using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Shadowing.Model;
using Shadowing.Supervision;

namespace Shadowing.Experiments;

/// <summary>
/// Shadow runs that acted beyond their own connection, which would be real effects of a run that no user asked for. Such a run is stopped
/// before it acts, and its operation rests until the service starts anew: it is not compared, and the control alone answers.
/// </summary>
public sealed partial class Escapes
{
    private readonly ConcurrentDictionary<string, Finding> _found = [];
    private readonly Findings _findings;
    private readonly ILogger<Escapes> _logger;

    internal Escapes(Findings findings, ILogger<Escapes> logger) => (_findings, _logger) = (findings, logger);

    /// <summary>Whether an operation rests because of one.</summary>
    public bool Rests(string operation) => _found.ContainsKey(operation);

    /// <summary>Stops a shadow run.</summary>
    /// <param name="what">What it was about to do, as <c>a command on another connection</c>; without values.</param>
    /// <param name="remedy">What to change, as a sentence.</param>
    /// <exception cref="ShadowEscapeException">Always.</exception>
    public void Stop(RunPlace run, string what, string remedy)
    {
        ArgumentNullException.ThrowIfNull(run);
        var operation = run.Operation;
        var finding = new Finding(
            Finding.Critical, operation, $"The {run.Side?.Wire()} was stopped before {what} in a shadow run; {operation} rests. {remedy}");
        if (_found.TryAdd(operation, finding))
        {
            LogStopped(operation, run.Side?.Wire() ?? "", what);
            _findings.Replace("escapes", [.. _found.Values.OrderBy(found => found.Object, StringComparer.Ordinal)]);
        }

        throw new ShadowEscapeException($"A shadow run may not do this: {what}.");
    }

    [LoggerMessage(35, LogLevel.Critical, "{Operation} rests: in a shadow run the {Side} was stopped before {What}.")]
    private partial void LogStopped(string operation, string side, string what);
}

/// <summary>Stops a shadow run that is about to act beyond its own connection.</summary>
public sealed class ShadowEscapeException(string message) : InvalidOperationException(message);
