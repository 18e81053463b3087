using Ticketing.Api.Tests;
using Ticketing.Api.Tests.Matrix;
using Ticketing.Api.Tests.Rollout;
using Ticketing.Api.Tests.Sandbox;
using Ticketing.Api.Tests.Shadowing;
using Ticketing.Api.Tests.Stopping;
using Ticketing.Api.Tests.Sweeps;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace Ticketing.Api.Tests;

/// <summary>
/// Starts the classes that take minutes before all others, which then run beside them: one that started last would run alone. The order is
/// the same in every run.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly Type[] Long =
    [
        typeof(PlantedFaultsUnderTrafficTests), typeof(SweptFaultsTests), typeof(PlantedFaultMatrixTests), typeof(WriteFaultMatrixTests),
        typeof(WriteFaultTests), typeof(WrecksTests), typeof(SweepTests), typeof(RollbackTests), typeof(SoakTests), typeof(StoppingTests),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : notnull, ITestCollection =>
        [.. testCollections.OrderBy(Rank).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal)];

    private static int Rank<TTestCollection>(TTestCollection collection)
        where TTestCollection : notnull, ITestCollection
    {
        var name = collection.TestCollectionDisplayName;
        var at = Array.FindIndex(Long, type => name.Contains($"{type.FullName} ", StringComparison.Ordinal));
        return at < 0 ? Long.Length : at;
    }
}
