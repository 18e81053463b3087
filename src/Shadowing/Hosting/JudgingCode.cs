using System.Diagnostics.Metrics;
using System.Reflection;
using Shadowing.Comparison;
using Shadowing.Confirming;
using Shadowing.Evidence;
using Shadowing.Experiments;
using Shadowing.Model;
using Shadowing.Serving;
using Shadowing.Writing;

namespace Shadowing.Hosting;

/// <summary>
/// The engine's code that decides whether two answers are equal, what a difference means and what a case is: evidence that other code
/// gathered says nothing about this code.
/// </summary>
/// <remarks>
/// The layers <c>Model</c>, <c>Comparison</c>, <c>Writing</c>, <c>Experiments</c> and <c>Confirming</c> without the types that publish
/// metrics, and of <c>Evidence</c> and <c>Serving</c> what gives a verdict and makes a case. The rest of those two, and all of
/// <c>Settings</c>, <c>Supervision</c>, <c>Rollout</c>, <c>Diagnosing</c>, <c>Journal</c>, <c>SelfTesting</c>, <c>Sweeping</c> and
/// <c>Hosting</c>, routes, counts, stores or shows: it does not change what a comparison says.
/// </remarks>
public static class JudgingCode
{
    private static readonly HashSet<string?> Layers = new(
        from type in (Type[])[typeof(Outcome), typeof(ResultComparer<>), typeof(RowComparison), typeof(PairJudge), typeof(Confirmer<>)]
        select type.Namespace);

    private static readonly Type[] Others =
    [
        typeof(CaseHash), typeof(CaseJson), typeof(ShadowComparer<>), typeof(ComparisonRecorder),
        typeof(ComparedCases), typeof(MismatchExplainer),
    ];

    /// <summary>All of it, for <see cref="CodeFingerprint"/>.</summary>
    public static IReadOnlyList<Type> Types { get; } =
    [
        .. typeof(JudgingCode).Assembly.GetTypes()
            .Where(type => !type.IsNested && Layers.Contains(type.Namespace) && !PublishesMetrics(type)),
        .. Others,
    ];

    private static bool PublishesMetrics(Type type) =>
        type == typeof(ShadowingMeter) || type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic)
            .Any(field => field.FieldType.Namespace == typeof(Meter).Namespace);
}
