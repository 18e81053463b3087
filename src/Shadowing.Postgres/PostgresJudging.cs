using Shadowing.Postgres.Sandbox;

namespace Shadowing.Postgres;

/// <summary>
/// What of this project decides what two sides see of the data and what their failures mean: the counterpart of the engine's
/// <see cref="Hosting.JudgingCode"/>.
/// </summary>
public static class PostgresJudging
{
    /// <summary>All of it, for <see cref="Evidence.CodeFingerprint"/>.</summary>
    public static IReadOnlyList<Type> Types { get; } =
    [
        .. typeof(PostgresJudging).Assembly.GetTypes().Where(type => !type.IsNested && type.Namespace == typeof(WriteSandbox).Namespace),
        typeof(OneSnapshotConfirmer<>), typeof(PostgresErrors),
    ];
}
