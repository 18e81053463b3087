using Shadowing.Postgres.Sandbox;
using Shadowing.Postgres.Snapshots;
using Shadowing.Postgres.Statements;

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
        .. typeof(PostgresJudging).Assembly.GetTypes().Where(type => !type.IsNested && type.Namespace == typeof(WriteSandbox).Namespace),
        typeof(OneSnapshotConfirmer<>), typeof(PostgresErrors),
    ];
}
