namespace Shadowing.Postgres.Doctor;

/// <summary>One thing that was checked.</summary>
/// <param name="Check">Such as <c>connection</c>, <c>role</c>, <c>clock</c>: a closed list.</param>
/// <param name="Object">What it is about: <c>ConnectionStrings:Shadow</c>, <c>replica a</c>.</param>
/// <param name="State"><c>ok</c>, <c>warning</c> or <c>critical</c>.</param>
/// <param name="Text">What was found.</param>
/// <param name="Remedy">What to do; null where there is nothing to do.</param>
public sealed record DoctorCheck(string Check, string Object, string State, string Text, string? Remedy = null)
{
    internal const string Fine = "ok";
    internal const string Warns = "warning";
    internal const string Fails = "critical";
}

/// <summary>What a connection of one position was told by its server.</summary>
internal sealed record PositionFacts(
    string Name, bool IsDirect, string Role, string Database, int Version, string SearchPath, TimeSpan Skew, bool IsSuperuser,
        bool IsReplica,
    int Limit, int Sessions, int MaxConnections, bool IsReadOnly);
