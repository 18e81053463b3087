using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Shadowing.Model;

/// <summary>How far an operation has come, as metrics name it.</summary>
public enum StageKind
{
    /// <summary>The control answers; nothing is compared.</summary>
    Off,

    /// <summary>The control answers; the candidate runs unseen.</summary>
    Shadow,

    /// <summary>The candidate answers a share of the requests.</summary>
    Ramp,

    /// <summary>The candidate answers; the control runs unseen, as its reverse shadow.</summary>
    Full,

    /// <summary>The candidate answers alone: the control may be deleted.</summary>
    Complete,
}

/// <summary>
/// A step of the ladder off → shadow 1, 10, 100 % → ramp 1, 5, 25, 50 % → full → complete. There are no other stages, so that a value from
/// a store or a caller is either one of these or refused.
/// </summary>
public sealed record Stage
{
    private Stage(StageKind kind, double shadowPercent, double servePercent) =>
        (Kind, ShadowPercent, ServePercent) = (kind, shadowPercent, servePercent);

    /// <summary>Nothing runs on the candidate.</summary>
    public static Stage Off { get; } = new(StageKind.Off, 0, 0);

    /// <summary>All traffic is shadowed and none served: where a rollback leads.</summary>
    public static Stage Shadow { get; } = new(StageKind.Shadow, 100, 0);

    /// <summary>The candidate serves all proven shapes.</summary>
    public static Stage Full { get; } = new(StageKind.Full, 100, 100);

    /// <summary>The migration of the operation is over.</summary>
    public static Stage Complete { get; } = new(StageKind.Complete, 0, 100);

    /// <summary>All stages, least exposure first.</summary>
    public static IReadOnlyList<Stage> Ladder { get; } =
    [
        Off, new(StageKind.Shadow, 1, 0), new(StageKind.Shadow, 10, 0), Shadow,
        .. new[] { 1, 5, 25, 50 }.Select(percent => new Stage(StageKind.Ramp, 100, percent)), Full, Complete,
    ];

    /// <summary>What metrics and the audit call it, before the percentage.</summary>
    public StageKind Kind { get; }

    /// <summary>The share of the requests that are shadowed, in percent, before sampling by coverage.</summary>
    public double ShadowPercent { get; }

    /// <summary>The share of the requests that the candidate may answer, in percent; of its proven shapes only.</summary>
    public double ServePercent { get; }

    /// <summary>Whether any user may be answered by the candidate.</summary>
    public bool Serves => ServePercent > 0;

    /// <summary>The stable name: <c>off</c>, <c>shadow-10</c>, <c>ramp-25</c>, <c>full</c>, <c>complete</c>.</summary>
    public string Name => Kind switch
    {
        StageKind.Shadow => string.Create(CultureInfo.InvariantCulture, $"shadow-{ShadowPercent}"),
        StageKind.Ramp => string.Create(CultureInfo.InvariantCulture, $"ramp-{ServePercent}"),
        StageKind.Off => "off",
        StageKind.Full => "full",
        _ => "complete",
    };

    /// <summary>The stage that comes next, or null after the last.</summary>
    public Stage? Next => Ladder.SkipWhile(stage => stage != this).Skip(1).FirstOrDefault();

    /// <summary>The stage of a <see cref="Name"/>; <c>shadow</c> means all of it.</summary>
    public static bool TryParse(string? name, [NotNullWhen(true)] out Stage? stage)
    {
        stage = name == "shadow" ? Shadow : Ladder.FirstOrDefault(known => known.Name == name);
        return stage is not null;
    }

    /// <summary>In words: <c>serve 25 %</c>.</summary>
    public override string ToString() => Kind switch
    {
        StageKind.Shadow => string.Create(CultureInfo.InvariantCulture, $"shadow {ShadowPercent} %"),
        StageKind.Ramp => string.Create(CultureInfo.InvariantCulture, $"serve {ServePercent} %"),
        _ => Name,
    };
}
