using System.Security.Cryptography;
using System.Text;
using Shadowing.Comparison;
using Shadowing.Model;

namespace Shadowing.Journal;

/// <summary>A path without indexes, and in what way it differs.</summary>
public sealed record DifferencePattern(string Path, string Kind);

/// <summary>What makes two mismatches the same one: operation, index-free paths and kinds; and, for failures, which failure.</summary>
/// <param name="Id">12 hexadecimal digits, the same on every replica and after every restart.</param>
public sealed record Signature(string Id, string Operation, IReadOnlyList<DifferencePattern> Differences, string? ErrorType)
{
    /// <summary>Stands for all signatures of an operation beyond those that are kept.</summary>
    internal static Signature Other(string operation) => Named(operation, [new("_other", "_other")], null);

    internal static Signature ForDifferences(string operation, IEnumerable<Difference> differences, string? errorType) => Named(
        operation,
        [
            .. differences.Select(difference => new DifferencePattern(difference.Pattern, difference.Kind.Wire())).Distinct()
                .OrderBy(pattern => pattern.Path, StringComparer.Ordinal).ThenBy(pattern => pattern.Kind, StringComparer.Ordinal),
        ],
        errorType);

    private static Signature Named(string operation, DifferencePattern[] patterns, string? errorType)
    {
        var lines = patterns.Select(pattern => $"{pattern.Path} {pattern.Kind}").Prepend(operation).Append(errorType ?? "");
        return new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))))[..12], operation, patterns,
            errorType);
    }
}
