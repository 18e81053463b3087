using Shadowing.Postgres.Sandbox;
using Shadowing.Postgres.Snapshots;
using Shadowing.Postgres.Statements;
using Shadowing.Postgres.Writes;

namespace Shadowing.Postgres.Hosting;

/// <summary>
/// What of this project decides what two sides see of the data and what their failures mean: the counterpart of the engine's
/// <see cref="Shadowing.Hosting.JudgingCode"/>.
/// </summary>
public static class PostgresJudging
{
    /// <summary>All of it, for <see cref="Evidence.CodeFingerprint"/>.</summary>
    public static IReadOnlyList<Type> Types { get; } =
    [
        .. typeof(PostgresJudging).Assembly.GetTypes().Where(type =>
            !type.IsNested && (type.Namespace == typeof(WriteSandbox).Namespace || type.Namespace == typeof(SnapshotStage).Namespace)),
        typeof(OneSnapshotConfirmer<>), typeof(PostgresErrors),
    ];
}
