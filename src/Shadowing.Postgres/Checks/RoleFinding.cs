using Shadowing.Supervision;

namespace Shadowing.Postgres.Checks;

/// <summary>
/// Reports a power that a role must not have: how the role got it, which statement takes it away, and which other roles lose it then.
/// </summary>
internal static class RoleFinding
{
    private const int MostNames = 10;

    /// <param name="role">The role that has the power: <c>shadow</c> or <c>sandbox</c>.</param>
    public static Finding ForPower(string role, ExcessPower excess)
    {
        var through = excess.Through is null ? "in a way that is not known" : $"through {excess.Through}";
        var could = $"The {role}'s role could write: {excess.Power}, {through}. Shadowing is off until it cannot.";
        return new(Finding.Critical, excess.Object, $"{could} {Losers(excess)}{Remedy(excess)}");
    }

    /// <summary>For the functions of large objects, which a read-only transaction stops from version 16 on.</summary>
    public static Finding ForLargeObjects(string functions) => new(
        Finding.Warning, "large objects",
        "Before PostgreSQL 16 a read-only transaction can still write large objects. A shadow run that calls one of their functions is "
        + "stopped before it does, but not where a function of the database calls it. PostgreSQL 16 ends that; or run, as a superuser, and "
        + $"grant it to the roles that need it: REVOKE EXECUTE ON FUNCTION {functions} FROM PUBLIC;");

    private static string Losers(ExcessPower excess)
    {
        if (excess.AlsoLose.Count == 0) return excess.Through == "PUBLIC" ? "No other login role has it through PUBLIC alone. " : "";
        var names = string.Join(", ", excess.AlsoLose.Take(MostNames));
        var more = excess.AlsoLose.Count > MostNames ? $" and {excess.AlsoLose.Count - MostNames} more" : "";
        return $"Through PUBLIC alone these have it too, and lose it by the statement unless it is granted to them before: {names}{more}. ";
    }

    private static string Remedy(ExcessPower excess) =>
        excess.Remedy is null ? "No single statement ends that." : $"To end that, run: {excess.Remedy};";
}
