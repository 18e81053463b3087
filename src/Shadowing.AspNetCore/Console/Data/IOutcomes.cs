using Shadowing.AspNetCore.Console.Markup;

namespace Shadowing.AspNetCore.Console.Data;

/// <summary>What came out of comparisons over time: of all replicas, as the store has it; without a store, on this replica.</summary>
internal interface IOutcomes
{
    Task<OutcomeSeries> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>The outcomes of all operations, stretch by stretch.</summary>
/// <param name="Covers">What they cover, as the end of a sentence.</param>
/// <param name="ByOperation">An operation's stretches, the latest last.</param>
internal sealed record OutcomeSeries(string Covers, IReadOnlyDictionary<string, IReadOnlyList<Spark>> ByOperation)
{
    /// <summary>An operation's stretches; none where nothing is known of it.</summary>
    public IReadOnlyList<Spark> BarsOf(string operation) => ByOperation.GetValueOrDefault(operation, []);
}
