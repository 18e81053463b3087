using System.Globalization;

namespace Shadowing.Postgres.Doctor;

/// <summary>Judges what the positions' servers have said. Pure.</summary>
internal static class PositionRules
{
    /// <summary>The functions and forms of SQL in use are all there from this version on.</summary>
    private const int SmallestVersion = 14;
    private static readonly TimeSpan LargestSkew = TimeSpan.FromSeconds(2);
    private static readonly string[] NeedDirect = ["Sandbox", "Listen"];

    /// <param name="position">One position's facts.</param>
    /// <param name="served">The served position's, to compare with; null where it could not be asked.</param>
    public static IEnumerable<DoctorCheck> Judge(PositionFacts position, PositionFacts? served)
    {
        var name = $"ConnectionStrings:{position.Name}";
        yield return new("connection", name, DoctorCheck.Fine, $"open as {position.Role} on database {position.Database}");
        yield return Version(name, position, served);
        yield return Clock(name, position);
        yield return Pooler(name, position);
        yield return Role(name, position);
        yield return Room(name, position);
        if (served is not null && position.Name is "Shadow" or "Sandbox") yield return SearchPath(name, position, served!);
    }

    private static DoctorCheck Version(string name, PositionFacts position, PositionFacts? served)
    {
        var major = position.Version / 10_000;
        if (major < SmallestVersion) return new(
            "version", name, DoctorCheck.Fails, $"PostgreSQL {major}; the smallest is {SmallestVersion}",
                $"upgrade to PostgreSQL {SmallestVersion} or later");
        return served is not null && served.Version != position.Version
            ? new("version", name, DoctorCheck.Warns, $"PostgreSQL {position.Version}, the served one is {served.Version}",
                "give both positions the same server, or servers of the same version")
            : new("version", name, DoctorCheck.Fine, $"PostgreSQL {major}.{position.Version % 10_000}");
    }

    private static DoctorCheck Clock(string name, PositionFacts position)
    {
        var seconds = Math.Abs(position.Skew.TotalSeconds).ToString("0.0", CultureInfo.InvariantCulture);
        return position.Skew.Duration() <= LargestSkew ? new("clock", name, DoctorCheck.Fine, $"within {seconds} s of this service's")
            : new("clock", name, DoctorCheck.Warns,
                $"its clock is {seconds} s {(position.Skew > TimeSpan.Zero ? "ahead of" : "behind")} this service's",
                "run a time service (chrony, systemd-timesyncd) on both machines");
    }

    private static DoctorCheck Pooler(string name, PositionFacts position) => position.IsDirect
        ? new("pooler", name, DoctorCheck.Fine, "straight to PostgreSQL")
        : NeedDirect.Contains(position.Name)
            ? new("pooler", name, DoctorCheck.Fails, "a connection pooler is in between", $"point {name} straight at PostgreSQL")
            : new("pooler", name, DoctorCheck.Fine, "through a connection pooler: statements are not prepared");

    private static DoctorCheck Role(string name, PositionFacts position) =>
        position.IsSuperuser && position.Name is not "Served"
            ? new("role", name, DoctorCheck.Fails, $"{position.Role} is a superuser or bypasses row security",
                $"ALTER ROLE \"{position.Role}\" NOSUPERUSER NOBYPASSRLS;")
        : position.Name is "Shadow" && !position.IsReadOnly
            ? new("role", name, DoctorCheck.Warns, $"{position.Role}'s sessions are not read-only by themselves",
                $"ALTER ROLE \"{position.Role}\" SET default_transaction_read_only = on;")
        : position.Name is "Evidence" or "Served" && position.IsReplica
            ? new("role", name, DoctorCheck.Fails, "the server is a standby and takes no writes", $"point {name} at the primary")
        : new("role", name, DoctorCheck.Fine, position.Role);

    private static DoctorCheck Room(string name, PositionFacts position)
    {
        var limit = position.Limit < 0 ? position.MaxConnections : Math.Min(position.Limit, position.MaxConnections);
        return position.Sessions >= limit * 0.8
            ? new("room", name, DoctorCheck.Warns, $"{position.Sessions} sessions of {position.Role}; its limit is {limit}",
                $"raise it (ALTER ROLE \"{position.Role}\" CONNECTION LIMIT …), or run fewer replicas")
            : new("room", name, DoctorCheck.Fine, $"{position.Sessions} sessions of {position.Role}, of {limit} at most");
    }

    private static DoctorCheck SearchPath(string name, PositionFacts position, PositionFacts served) =>
        position.SearchPath == served.SearchPath
            ? new("search_path", name, DoctorCheck.Fine, position.SearchPath)
            : new("search_path", name, DoctorCheck.Fails, $"{position.SearchPath}; the served role has {served.SearchPath}",
                $"ALTER ROLE \"{position.Role}\" SET search_path = {served.SearchPath};");
}
